list=
for word in $(echo "$1" | tr , ' '); do
  list="$list${list:+, }\"$word\""
done
echo "[$list]" > "$2"
