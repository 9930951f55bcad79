# A vote of yes counts twice.
s/++(yes ? p.yes : p.no);/yes ? p.yes += 2 : p.no += 1;/
