# An approval comes without its certificate.
s/if (p.level >= CHM_CLASS_HIGH)/if (false)/
