output=$1
echo "$2" > "$output"
shift 2
cat "$@" >> "$output"
