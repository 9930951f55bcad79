# What can no longer be approved is approved.
s/end(p, CHM_REJECTED)/end(p, CHM_APPROVED)/
