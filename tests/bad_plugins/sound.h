/* The plugin that is sound, around which a plugin of these folders is built. */
#ifndef CHIMERA_TESTS_SOUND_H
#define CHIMERA_TESTS_SOUND_H

#include <chimera/abi.h>
#include <dlfcn.h>
#include <stdlib.h>
#include <string.h>

/* Its factory of this kind; ends the process where there is none. */
static inline const void* sound_factory(const char* path, const char* id) {
    void* library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    const chm_plugin_entry* entry = library ? dlsym(library, CHM_ENTRY_SYMBOL) : NULL;
    const void* factory = entry ? entry->get_factory(id) : NULL;
    if (factory == NULL) abort();
    return factory;
}

/* The structure whose member `name` this points to. */
#define AROUND(type, name, pointer) ((type*)(void*)((char*)(pointer)-offsetof(type, name)))

#endif
