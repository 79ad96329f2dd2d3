//go:build programs

// Package programs keeps what the stack builds in go.mod; it is never compiled.
package programs

import _ "go.etcd.io/etcd/server/v3"
