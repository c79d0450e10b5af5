// zlib: the CRC-32 of a model file, and the word list inside it. No code.
#pragma once
#include <zlib.h>
