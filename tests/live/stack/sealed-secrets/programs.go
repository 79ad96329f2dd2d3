//go:build programs

// Package programs keeps what the stack builds in go.mod; it is never compiled.
package programs

import (
	_ "github.com/bitnami-labs/sealed-secrets/cmd/controller"
	_ "github.com/bitnami-labs/sealed-secrets/cmd/kubeseal"
)
