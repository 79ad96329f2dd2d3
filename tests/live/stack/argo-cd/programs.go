//go:build programs

// Package programs keeps what the stack builds in go.mod; it is never compiled.
package programs

import _ "github.com/argoproj/argo-cd/v3/cmd"
