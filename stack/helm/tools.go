//go:build tools

// Package helm holds no code of ours: it names the program that stack/install/helm.sh builds, so that go.mod pins it.
package helm

import _ "helm.sh/helm/v3/cmd/helm"
