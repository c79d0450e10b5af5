// The text of a file that the programs carry, or null if they carry none of that name.
const char *_Nullable embedded_file(const char *_Nonnull name);
