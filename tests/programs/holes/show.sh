words=$1
report=$2
shift 2
: > "$report"
count=0
for one in "$@"; do
  count=$((count + 1))
  if [ -f "$one" ]; then
    cat "$one" >> "$report"
  else
    printf '%s\n' "$one" >> "$report"
  fi
done
printf '%s words' "$count" > "$words"
