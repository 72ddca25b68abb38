// The process that holds a pod's namespaces open; see main.go.
module appstead.dev/test/cluster/pause

go 1.26.0
