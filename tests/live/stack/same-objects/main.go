// same-objects compares two streams of Kubernetes manifests as the API server would read them, with the YAML reader
// that kubectl and kustomize share: the same objects, in the same order, with the same values. Objects are matched
// by apiVersion, kind, namespace and name. It prints each difference by object and path and exits 1 if there is any.
//
//	same-objects WANT GOT
//	same-objects --any-order WANT GOT
//	same-objects --json FILE          the objects as JSON, one per line
package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"

	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"sigs.k8s.io/yaml"
)

type object = map[string]any

// stream is one file: its objects by name, and their names in order.
type stream struct {
	objects map[string]object
	order   []string
}

// differences counts and prints what compare finds.
type differences int

func (d *differences) add(where, format string, args ...any) {
	*d++
	fmt.Printf("%s: %s\n", where, fmt.Sprintf(format, args...))
}

func main() {
	args, ordered := os.Args[1:], true
	if len(args) == 2 && args[0] == "--json" {
		s := read(args[1])
		for _, id := range s.order {
			fmt.Println(text(s.objects[id]))
		}
		return
	}
	if len(args) > 0 && args[0] == "--any-order" {
		args, ordered = args[1:], false
	}
	if len(args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: same-objects [--any-order] WANT GOT | --json FILE")
		os.Exit(2)
	}
	want, got := read(args[0]), read(args[1])
	if found := compare(want, got, ordered); found > 0 {
		fmt.Printf("%d differences\n", found)
		os.Exit(1)
	}
	fmt.Printf("%d objects, all the same\n", len(want.order))
}

// read takes a file apart. A file without objects is an error: two of them would otherwise be equal.
func read(file string) stream {
	data, err := os.ReadFile(file)
	exitOn(file, err)
	s := stream{objects: map[string]object{}}
	for reader := utilyaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(data))); ; {
		document, err := reader.Read()
		if err != nil {
			break
		}
		value := parse(file, document)
		if value == nil {
			continue
		}
		id := name(value)
		if _, twice := s.objects[id]; twice {
			exitOn(file, fmt.Errorf("%s is there twice", id))
		}
		s.objects[id] = value
		s.order = append(s.order, id)
	}
	if len(s.order) == 0 {
		exitOn(file, fmt.Errorf("no objects"))
	}
	return s
}

// parse keeps numbers as they are written.
func parse(file string, document []byte) object {
	asJSON, err := yaml.YAMLToJSONStrict(document)
	exitOn(file, err)
	decoder := json.NewDecoder(bytes.NewReader(asJSON))
	decoder.UseNumber()
	var value object
	exitOn(file, decoder.Decode(&value))
	return value
}

func name(o object) string {
	metadata, _ := o["metadata"].(object)
	return fmt.Sprintf("%v %v %v/%v", o["apiVersion"], o["kind"], metadata["namespace"], metadata["name"])
}

func compare(want, got stream, ordered bool) int {
	var found differences
	both := func(id string) bool { return want.objects[id] != nil && got.objects[id] != nil }
	for _, id := range want.order {
		if both(id) {
			walk(id, want.objects[id], got.objects[id], &found)
		} else {
			found.add(id, "missing")
		}
	}
	for _, id := range got.order {
		if !both(id) {
			found.add(id, "not expected")
		}
	}
	if !ordered {
		return int(found)
	}
	wantOrder := slices.DeleteFunc(want.order, func(id string) bool { return !both(id) })
	gotOrder := slices.DeleteFunc(got.order, func(id string) bool { return !both(id) })
	for i, id := range wantOrder {
		if gotOrder[i] != id {
			found.add(id, "expected here, but %s comes", gotOrder[i])
			break
		}
	}
	return int(found)
}

func walk(path string, want, got any, found *differences) {
	wantMap, isMap := want.(object)
	gotMap, alsoMap := got.(object)
	wantList, isList := want.([]any)
	gotList, alsoList := got.([]any)
	switch {
	case isMap && alsoMap:
		walkMap(path, wantMap, gotMap, found)
	case isList && alsoList && len(wantList) == len(gotList):
		for i := range wantList {
			walk(fmt.Sprintf("%s[%d]", path, i), wantList[i], gotList[i], found)
		}
	case text(want) != text(got):
		found.add(path, "expected %s, got %s", text(want), text(got))
	}
}

func walkMap(path string, want, got object, found *differences) {
	for key, value := range want {
		other, there := got[key]
		if there {
			walk(path+"."+key, value, other, found)
		} else {
			found.add(path+"."+key, "missing, expected %s", text(value))
		}
	}
	for key, value := range got {
		if _, there := want[key]; !there {
			found.add(path+"."+key, "not expected: %s", text(value))
		}
	}
}

func text(value any) string {
	data, err := json.Marshal(value)
	exitOn("value", err)
	return string(data)
}

func exitOn(where string, err error) {
	if err != nil {
		fmt.Fprintf(os.Stderr, "same-objects: %s: %s\n", where, strings.TrimSpace(err.Error()))
		os.Exit(2)
	}
}
