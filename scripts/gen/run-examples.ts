/** A way in which a task fails that does not come from a module; where there are tasks, a test runs them on this machine. */
export interface RunExample {
  readonly means: string
  readonly remedy: string
  readonly tasks?: string
}

/** Codes of which the message alone does not say enough. */
export const RUN_EXAMPLES: Readonly<Record<string, RunExample>> = {
  ASSERTION_FAILED: {
    means: 'A condition of `assert` does not hold; the message names it.',
    remedy: 'Look at the values that the condition names.',
    tasks: "- assert: { that: inventory_hostname == 'another' }",
  },
  BAD_NAME: {
    means: 'An include leads to something that is not a name.',
    remedy: 'Look at the value of the variable in it.',
    tasks: "- include_tasks: '{{ list 1 2 }}'",
  },
  COMMAND_FAILED: {
    means: 'A command ended with a status other than 0; its output is shown.',
    remedy: 'Run it by hand, or say with `failed_when` what counts as a failure.',
    tasks: "- command: { cmd: 'false', reads: true }",
  },
  DEADLINE: {
    means: 'The host did not answer in time, and its shell cannot be used any more.',
    remedy: 'Look what hangs on the host: a mount whose server is gone, a full disk, a lock.',
  },
  FACT_UNKNOWN: {
    means: 'A text mentions a fact that the host did not give.',
    remedy: 'Run `msingi facts HOST` to see what it gives.',
  },
  FAILED: {
    means: 'The module `fail` was reached; the message is its `msg`.',
    remedy: 'Do what the message says.',
    tasks: '- fail: { msg: There is no room for another database. }',
  },
  FAILED_WHEN: {
    means: 'The condition of `failed_when` holds.',
    remedy: 'Look at the result of the task: `-vv` shows it.',
    tasks: "- command: { cmd: 'true', reads: true }\n  failed_when: true",
  },
  GUARD_EXPIRED: {
    means:
      'A guarded change was not proved before its time was over, and the host has taken it back by itself.',
    remedy: 'Give the guard more time: `guard: { reconnect: 5m }`.',
  },
  GUARD_HANDLER_FAILED: {
    means:
      'A handler that a guarded task notified failed, so the change was taken back: what it was to put into effect would not have worked.',
    remedy: 'Look at the failure of the handler, which stands above.',
  },
  GUARD_UNARMED: {
    means: 'The host could not be made ready to take a guarded change back, so the change was not made.',
    remedy:
      'Do what the message says: give room, let the login become root, or wait until an earlier guard is decided.',
  },
  HOST_UNFIT: {
    means:
      'There is no room on the host, or it cannot be written to, so packages would be left half unpacked; they are not touched.',
    remedy: 'Make room, or mount it for writing. `msingi doctor` shows what else is in the way.',
  },
  LIFE_UNREADABLE: {
    means: 'The kernel does not tell when the host was started, so nobody could tell a restart.',
    remedy: 'Restart it by hand.',
  },
  LOCKED: {
    means:
      'Another run changes this host, or a change of an earlier run still goes on there; nothing was changed. The message says whose.',
    remedy: 'Wait with `--wait`; or, when nobody needs the other run any more, end it with `--steal`.',
  },
  LOCK_UNUSABLE: {
    means:
      'The host cannot keep a lock, so nobody could tell whether another run changes it; nothing was changed.',
    remedy:
      'See that `/run/msingi` (for other users than root `/var/tmp/msingi-UID`) can be written and belongs to that user. As a last resort `MSINGI_LOCK=off` does without.',
  },
  LOCKED_OUT: {
    means:
      'After a guarded change no new connection could be opened, with a login and an escalation of its own. The change was taken back; what the host did is shown.',
    remedy:
      'Correct the change, or say with `guard: { reconnect: 60s, port: 2222 }` where the host answers now.',
  },
  NOT_BACK: {
    means: 'The host did not come back, or not in the state that was asked for.',
    remedy: 'Look at its console.',
  },
  NOT_CONVERGED: {
    means: 'The change was made and the host is still not as it should be; what differs is shown.',
    remedy:
      'Look for another program that sets it back, and at the output of the command that made the change.',
  },
  NO_DELEGATE: {
    means: 'The host in `delegate_to` is not in the inventory.',
    remedy: 'Add it, or correct its spelling.',
    tasks: '- ping:\n  delegate_to: nobody',
  },
  NOT_KEPT: {
    means:
      'The host cannot write down which handlers the change notifies, so a crash would lose them; the change was not made.',
    remedy:
      'Free space on the file system of `/var/lib/msingi` (for other users than root `/var/tmp`), or look why it cannot be written.',
  },
  SECRET_EXPOSED: {
    means:
      'A secret would stand where others can read it: among the arguments or in the environment of a process, in the name of a file, in the output.',
    remedy:
      'Give it on `stdin`, or write it with `copy` or `template` to a file of mode 0600 that the program reads; see [secrets](secrets.md).',
  },
  TIMEOUT: {
    means: 'The command took longer than `timeout` allows, and was ended on the host.',
    remedy: 'Raise `timeout`, or find out what it waits for.',
    tasks: "- command: { cmd: 'sleep 20' }\n  timeout: 1",
  },
  UNDECIDED: {
    means:
      'The change was begun on the host, was broken off there by a restart or a signal, and nothing tells how far it came. It is not repeated by itself, because that may not be safe. Its handlers are still owed.',
    remedy: 'Look at the host, then run the playbook again.',
  },
  UNKNOWN_VALUE: {
    means: 'A keyword needs a value that only an apply would give.',
    remedy: 'Apply the tasks before it first, with `--tags` or `--limit`.',
  },
  UNTIL_NOT_MET: {
    means: 'The condition of `until` did not hold after all attempts.',
    remedy: 'Look at the last result, and raise `retries` or `delay` if it only needs time.',
    tasks: "- command: { cmd: 'true', reads: true }\n  until: false\n  retries: 1\n  delay: 0",
  },
}
