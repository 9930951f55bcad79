# Class high and critical are decided in one phase.
s/shown_.level >= CHM_CLASS_HIGH ? 2 : 1/1/
