#!/bin/bash -eu
[[ $# = 2 ]]
printf '%s' "$1" "$2" > /srv/cycle-script
