# Two members may have one name.
/two members have one name/d
