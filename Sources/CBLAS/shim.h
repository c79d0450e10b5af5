// The C interfaces of OpenBLAS, CBLAS for the products and LAPACKE for decompositions, the compiler's own
// question to the processor, which Swift cannot ask, and the size of an allocated block.
#pragma once
#include <cblas.h>
#include <lapacke.h>
#include <malloc.h>

// What processor and operating system offer together, a bit for each; see `Instructions` in BLAS.swift.
static inline unsigned processor_instructions(void) {
#if defined(__x86_64__)
  __builtin_cpu_init();
  return (__builtin_cpu_supports("sse3") ? 1u << 0 : 0) |
         (__builtin_cpu_supports("ssse3") ? 1u << 1 : 0) |
         (__builtin_cpu_supports("sse4.1") ? 1u << 2 : 0) |
         (__builtin_cpu_supports("sse4.2") ? 1u << 3 : 0) |
         (__builtin_cpu_supports("sse4a") ? 1u << 4 : 0) |
         (__builtin_cpu_supports("avx") ? 1u << 5 : 0) |
         (__builtin_cpu_supports("fma4") ? 1u << 6 : 0) |
         (__builtin_cpu_supports("avx2") ? 1u << 7 : 0) |
         (__builtin_cpu_supports("fma") ? 1u << 8 : 0) |
         (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                  __builtin_cpu_supports("avx512cd") && __builtin_cpu_supports("avx512dq") &&
                  __builtin_cpu_supports("avx512vl")
              ? 1u << 9
              : 0) |
         (__builtin_cpu_supports("avx512bf16") ? 1u << 10 : 0);
#else
  return 0;
#endif
}

// The bytes that the allocator set aside for a block; Swift's Glibc does not have malloc.h.
static inline size_t usable_size(void *block) { return malloc_usable_size(block); }
