__attribute__((visibility("default"))) int from_needed_library(void);
int from_needed_library(void) { return 7; }
