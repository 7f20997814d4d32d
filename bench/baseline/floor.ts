import { APPS, FILES, FOLDERS, GROUPS, KEYS, LINES, PACKAGES, UNITS, USERS } from './tasks.ts'

/**
 * Returns the fifty tasks as a person would write them by hand in POSIX sh, one process where it can be had: the floor
 * that an engine is measured against. It prints what it changed, and `changes: N` at the end.
 */
export function floorScript(): string {
  return [
    FUNCTIONS,
    ...GROUPS.map(({ name, gid }) => `group ${name} ${gid}`),
    ...USERS.map(
      user => `user ${user.name} ${user.uid} ${user.shell} ${word(user.extra)} ${word(user.comment)}`,
    ),
    ...FOLDERS.map(({ path, mode, owner, group }) => `dir ${path} ${mode} ${owner} ${group}`),
    ...PACKAGES.map(name => `pkg ${name}`),
    ...[...FILES, ...UNITS, ...APPS].map(file),
    ...LINES.map(({ path, regexp, line }) => `line ${path} ${word(regexp)} ${word(line)}`),
    ...KEYS.map(file),
    '[ "$reload" = no ] || systemctl daemon-reload',
    ...UNITS.map(({ source }) => `unit ${source}`),
    'echo "changes: $count"',
    '',
  ].join('\n')
}

const FUNCTIONS = `#!/bin/sh
# Fifty tasks as one idempotent script; prints what it changed and how much that was.
set -eu
count=0 reload=no scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

changed() {
  count=$((count + 1))
  echo "changed: $1"
}

group() { # name gid
  entry=$(getent group "$1") || { changed "group $1"; groupadd -g "$2" "$1"; return 0; }
  case $entry in "$1:"*":$2:"*) ;; *) changed "group $1"; groupmod -g "$2" "$1" ;; esac
}

user() { # name uid shell extra-group comment
  if ! entry=$(getent passwd "$1"); then
    changed "user $1"
    useradd -m -u "$2" -g perfapp -d "/home/$1" -s "$3" -c "$5" \${4:+-G "$4"} "$1"
    return 0
  fi
  if [ "$entry" != "$1:x:$2:$(id -g "$1"):$5:/home/$1:$3" ] || [ "$(id -gn "$1")" != perfapp ]; then
    changed "user $1"
    usermod -u "$2" -g perfapp -d "/home/$1" -s "$3" -c "$5" "$1"
  fi
  [ -n "$4" ] || return 0
  case " $(id -Gn "$1") " in *" $4 "*) ;; *) changed "groups of $1"; usermod -aG "$4" "$1" ;; esac
}

dir() { # path mode owner group
  [ "$(stat -c '%F %a %U %G' "$1" 2> /dev/null)" = "directory \${2#0} $3 $4" ] && return 0
  changed "directory $1"
  mkdir -p "$1"
  chmod "$2" "$1"
  chown "$3:$4" "$1"
}

pkg() { # name
  [ "$(dpkg-query -W -f '\${db:Status-Status}' "$1" 2> /dev/null)" = installed ] && return 0
  changed "package $1"
  DEBIAN_FRONTEND=noninteractive apt-get install -y "$1"
}

file() { # path, content on stdin
  cat > "$scratch/file"
  [ "$(stat -c '%a %U %G' "$1" 2> /dev/null)" = '644 root root' ] && cmp -s "$scratch/file" "$1" && return 0
  changed "file $1"
  install -m 644 -o root -g root "$scratch/file" "$1.new$$"
  mv "$1.new$$" "$1"
  case $1 in *.service) reload=yes ;; esac
}

line() { # path regexp line: replaces the last match, else appends
  regexp=$2 line=$3 awk '
    { text[NR] = $0; if ($0 ~ ENVIRON["regexp"]) last = NR }
    END {
      if (last) text[last] = ENVIRON["line"]; else text[++NR] = ENVIRON["line"]
      for (n = 1; n <= NR; n++) print text[n]
    }' "$1" > "$scratch/file"
  cmp -s "$scratch/file" "$1" && return 0
  changed "line $3 in $1"
  cat "$scratch/file" > "$1"
}

unit() { # name
  systemctl is-enabled -q "$1" 2> /dev/null || { changed "enabled $1"; systemctl enable -q "$1"; }
  systemctl is-active -q "$1" || { changed "started $1"; systemctl start "$1"; }
}
`

function file({ path, content }: { path: string; content: string }): string {
  return `file ${path} <<'__END__'\n${content}__END__`
}

function word(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`
}
