module gitops-pipe.io/tests/live/stack/connect-proxy

go 1.26.0
