# An action that the group does not know is of class low.
s/std::uint32_t{CHM_CLASS_CRITICAL} : known/std::uint32_t{CHM_CLASS_LOW} : known/
