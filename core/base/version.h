/* version.h — what this program calls itself: --version, User-Agent, manifests. */
#pragma once

#define GITOPS_PIPE_VERSION "0.3.0"
