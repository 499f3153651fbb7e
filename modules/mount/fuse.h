#pragma once
// The version of libfuse's interface that is written against; the only place that includes it.

#define FUSE_USE_VERSION 312
#include <fuse_lowlevel.h>
