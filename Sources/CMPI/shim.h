// MPI, as far as a training on several ranks needs it. Only the trait MPI makes use of it.
//
// Open MPI's handles are casts of pointers, which Swift can't import; functions that return them can be.
#pragma once
#include <mpi.h>

static inline MPI_Comm charmlp_world(void) { return MPI_COMM_WORLD; }
static inline MPI_Datatype charmlp_float(void) { return MPI_FLOAT; }
static inline MPI_Datatype charmlp_byte(void) { return MPI_BYTE; }
