// connect-proxy is an HTTP proxy that knows CONNECT alone. It leads every request to one address, whatever name was
// asked for, and prints that name: so a test sees that the way went through it.
//
//	connect-proxy LISTEN TARGET
package main

import (
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"
)

func tunnel(target string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		if r.Method != http.MethodConnect {
			http.Error(w, "only CONNECT", http.StatusMethodNotAllowed)
			return
		}
		fmt.Println("CONNECT", r.Host)
		server, err := net.Dial("tcp", target)
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadGateway)
			return
		}
		defer server.Close()
		client, buffered, err := http.NewResponseController(w).Hijack()
		if err != nil {
			return
		}
		defer client.Close()
		if _, err := io.WriteString(client, "HTTP/1.1 200 Connection established\r\n\r\n"); err != nil {
			return
		}
		go func() {
			io.Copy(server, buffered)
			server.(*net.TCPConn).CloseWrite()
		}()
		io.Copy(client, server)
	}
}

func main() {
	if len(os.Args) != 3 {
		log.Fatal("usage: connect-proxy LISTEN TARGET")
	}
	log.Fatal(http.ListenAndServe(os.Args[1], tunnel(os.Args[2])))
}
