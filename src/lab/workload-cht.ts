import { sh, type Sh } from '../shell/sh.ts'
import { RANGES } from './workload.ts'

/** Where the role `cht` says what CHT is called and where it lies; https://127.0.0.1 answers with CHT's own API. */
const CONF = '/etc/msingi/cht.conf'
/** More than can be written before the power goes. */
const MANY = 5000
/** curl reads all it is to do before it begins, which a slow machine takes long for. */
const AT_A_TIME = 25

/** The login travels by standard input alone. */
const LOGIN = `. ${CONF} || exit
env=$CHT_ROOT/upgrade-service/.env
login=$(sed -n 's/^COUCHDB_USER=//p' "$env"):$(sed -n 's/^COUCHDB_PASSWORD=//p' "$env")
`

const WRITER = `{
  login = $0
  for (n = from; n < from + step && n <= count; n++) {
    if (n > from) print "next"
    body = sprintf("%08d", n)
    body = body body body body
    printf "url = \\"https://127.0.0.1:%s/medic/%s%08d\\"\\nuser = \\"%s\\"\\ninsecure\\nsilent\\nrequest = PUT\\n", port, prefix, n, login
    printf "header = \\"content-type: application/json\\"\\ndata = \\"{\\\\\\"n\\\\\\":%d,\\\\\\"body\\\\\\":\\\\\\"%s%s%s%s\\\\\\"}\\"\\n", n, body, body, body, body
    printf "output = /dev/null\\nwrite-out = \\"%%{http_code} %d\\\\n\\"\\nnext\\n", n
  }
}`

const READER = `my ($prefix) = @ARGV;
local $/;
my %whole;
for my $piece (split /"doc": *\\{/, <STDIN>) {
  next unless $piece =~ /"_id": *"\\Q$prefix\\E(\\d{8})"/;
  my $n = $1;
  next unless $piece =~ /"body": *"(\\d+)"/ and $1 eq $n x 16;
  $whole{$n + 0} = 1;
}
${RANGES}`

/** Returns the script that writes so many documents through CHT, one number a line that the database has acknowledged. */
export function writeThroughCht(prefix: string, count = MANY): Sh {
  const script = `${LOGIN}
from=1
while [ "$from" -le "$3" ]; do
  printf '%s\\n' "$login" |
  awk -v "port=$CHT_HTTPS_PORT" -v "prefix=$1" -v "count=$3" -v "from=$from" -v "step=$4" "$2" | curl --no-buffer --config - |
  while read -r code number; do
    [ "$code" = 201 ] || { echo "document $number: answered with $code" >&2; exit 1; }
    echo "$number"
  done || exit
  from=$((from + $4))
done`
  return sh`exec sh -c ${script} sh ${prefix} ${WRITER} ${count} ${AT_A_TIME}`
}

/** Returns the script that prints which documents CHT gives back whole. */
export function readThroughCht(prefix: string): Sh {
  const script = `${LOGIN}
printf 'user = "%s"\\n' "$login" | curl --silent --show-error --fail --insecure --config - \\
  "https://127.0.0.1:$CHT_HTTPS_PORT/medic/_all_docs?include_docs=true&startkey=%22$1%22&endkey=%22$1z%22" | perl -e "$2" "$1"`
  return sh`exec sh -c ${script} sh ${prefix} ${READER}`
}
