# A member of another epoch is let in.
s/hub->group_.epoch != group_.epoch || //
