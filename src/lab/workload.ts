import { sh, type Sh } from '../shell/sh.ts'

/** How a document store treats what it has acknowledged. */
export type Durability = 'fsync' | 'none'

/** What a store is asked to keep, and where. */
export interface Workload {
  readonly folder: string
  readonly durability: Durability
  /** Milliseconds between two documents. */
  readonly pause: number
}

const FILE = 'documents'

/**
 * Writes numbered documents, each acknowledged on stdout only when the store would call it safe: after `fsync`, or in the
 * unsafe configuration at once. Perl is part of every Debian.
 */
const WRITER = `use IO::Handle;
my ($file, $durability, $pause) = @ARGV;
open(my $out, '>>', $file) or die "$file: $!\\n";
$out->autoflush(1);
$| = 1;
for (my $n = 1; ; $n++) {
  my $body = sprintf('%08d', $n) x 64;
  print {$out} "$n $body\\n" or die "write: $!\\n";
  if ($durability eq 'fsync') { $out->sync or die "fsync: $!\\n" }
  print "$n\\n";
  select(undef, undef, undef, $pause / 1000);
}
`

/** Perl that prints the runs of numbers in %whole: `1-17 19-20`. */
export const RANGES = `my ($from, $to);
for my $n (sort { $a <=> $b } keys %whole) {
  if (defined $to and $n == $to + 1) { $to = $n; next }
  print "$from-$to\\n" if defined $to;
  $from = $to = $n;
}
print "$from-$to\\n" if defined $to;
`

/** Prints the runs of numbers whose documents are whole: \`1-17 19-20\`. */
const READER = `my ($file) = @ARGV;
open(my $in, '<', $file) or exit 0;
my %whole;
while (my $line = <$in>) {
  next unless $line =~ /^(\\d+) (\\d+)\\n\\z/ and $2 eq sprintf('%08d', $1) x 64;
  $whole{$1} = 1;
}
${RANGES}`

/** Returns the script that makes an empty store that survives everything, so that only what follows can be lost. */
export function emptyStore({ folder }: Workload): Sh {
  const file = `${folder}/${FILE}`
  return sh`mkdir -p -- ${folder} && : > ${file} && sync`
}

/** Returns the script that writes until it is stopped, one acknowledged number a line. */
export function writeForever({ folder, durability, pause }: Workload): Sh {
  return sh`exec perl -e ${WRITER} ${`${folder}/${FILE}`} ${durability} ${pause}`
}

/** Returns the script that prints which documents are there, whole. */
export function readStore({ folder }: Workload): Sh {
  return sh`perl -e ${READER} ${`${folder}/${FILE}`}`
}

/** Returns the acknowledged numbers that the store does not have any more. */
export function lostDocuments(acknowledged: number, ranges: string): readonly number[] {
  const kept = new Set<number>()
  for (const range of ranges.split('\n').filter(line => line !== '')) {
    const [from = Number.NaN, to = Number.NaN] = range.split('-').map(Number)
    for (let number = from; number <= to; number += 1) kept.add(number)
  }
  return Array.from({ length: acknowledged }, (_, index) => index + 1).filter(number => !kept.has(number))
}
