#!/bin/sh
# Outlives the process that started it by a moment, and takes with it what that process left behind.
#
#   owner --(pipe: "group 123", "folder /tmp/x", "gone group 123", ...)--> reaper
#   owner ends in whatever way -> the pipe closes -> every group still listed is killed, every folder removed
#
# Signals are ignored: Ctrl-C reaches the owner too, and the owner's end is what counts.
trap '' INT TERM HUP
newline='
'
list=$newline

while read -r verb what; do
  case $verb in
    group | folder) list=$list$verb\ $what$newline ;;
    gone)
      # Cut the one line out of the list.
      case $list in
        *"$newline$what$newline"*) list=${list%%"$newline$what$newline"*}$newline${list#*"$newline$what$newline"} ;;
      esac
      ;;
  esac
done

printf '%s' "$list" | while read -r verb what; do
  [ "$verb" = group ] && kill -KILL "-$what" 2>/dev/null
done
printf '%s' "$list" | while read -r verb what; do
  # A killed server may still be writing its last file for a moment: try again once.
  [ "$verb" = folder ] && { rm -rf -- "$what" 2>/dev/null || { sleep 1; rm -rf -- "$what"; }; }
done
exit 0
