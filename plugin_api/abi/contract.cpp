// A library that exports a variable of every type of the contract, as input for abidw. It is never linked to anything.
#include "chimera/abi.h"

#define STRUCT(type, size) extern "C" CHM_EXPORT const type* const type_##type = nullptr;
#define MEMBER(type, member, offset)
#define CONSTANT(name, value) extern "C" CHM_EXPORT const decltype(name) constant_##name = name;
#define IDENTIFIER(name, text)
#include "contract.def"
