#pragma once
#include <chimera/abi/base.h>

namespace chimera::host {

/// The name of a result code, "CHM_E_INVAL"; "an unknown code" for others.
const char* result_name(chm_rc);

} // namespace chimera::host
