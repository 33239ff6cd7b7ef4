if [ "$1" = Break ]; then
  echo "no paper left" >&2
  exit 7
fi
i=0
while [ "$i" -lt "$2" ]; do
  echo "Dear $1"
  i=$((i + 1))
done > "$3"
echo "wrote to $1"
