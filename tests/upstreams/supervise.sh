# Runs "$@" until it ends by itself, or until stdin does, which another process holds open: however that one ends, the
# server ends too, and the folder $0 goes. The server reaps its own children, and what it leaves is killed with the
# process group.
exec 3<&0
"$@" <&3 &
server=$!
(
    read -r _ <&3
    rm -rf "$0"
    kill -s TERM "$server"
) &
watcher=$!
wait "$server"
kill -s TERM "$watcher"
wait "$watcher"
kill -s KILL 0
