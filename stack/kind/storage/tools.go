//go:build tools

// Package storage names the program that stack/install/kind-programs.sh builds, so that go.mod pins it.
package storage

import _ "github.com/rancher/local-path-provisioner"
