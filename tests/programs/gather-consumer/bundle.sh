all=$1
sum=$2
note=$3
shift 3
total=0
cat "$note" > "$all"
for one in "$@"; do
  if [ -e "$one" ]; then
    cat "$one" >> "$all"
  else
    total=$((total + one))
  fi
done
echo "$total" > "$sum"
