// The C interfaces of OpenBLAS: CBLAS for the products, LAPACKE for decompositions. No code.
#pragma once
#include <cblas.h>
#include <lapacke.h>
