i=0
list=
while [ "$i" -lt "$1" ]; do
  i=$((i + 1))
  list="$list${list:+, }\"n$i\""
done
echo "[$list]" > "$2"
