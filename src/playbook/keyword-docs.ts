/** What a keyword means, for editors and pages. */
export interface KeywordDoc {
  readonly about: string
  /** Where it is other than in Ansible, or new. */
  readonly unlike?: string
}

/** Every keyword of every level, by its name. */
export const KEYWORD_DOCS: Readonly<Record<string, KeywordDoc>> = {
  // Plays
  name: { about: 'What it is called in reports; a handler is notified by it.' },
  hosts: {
    about: 'Groups, hosts or a pattern such as `web:!web3`.',
    unlike: 'A pattern that matches nothing is an error.',
  },
  vars: { about: 'Variables; their values may hold templates.' },
  vars_files: {
    about: 'Files with variables.',
    unlike: 'Read before the first connection, so their names hold no templates; all of them must be there.',
  },
  vars_prompt: {
    about: 'Variables that a person is asked for before the run.',
    unlike:
      'Answers may come from `-e name=…` or `MSINGI_VAR_NAME`; without a terminal a missing one ends the command with status 4. A private one is a secret everywhere.',
  },
  roles: {
    about: 'Roles, run after `pre_tasks` and before `tasks`; further keys of an entry are parameters.',
    unlike: "Parameters are checked against the role's signature.",
  },
  pre_tasks: { about: 'Tasks before the roles; notified handlers run at their end.' },
  tasks: { about: 'The tasks; notified handlers run at their end.' },
  post_tasks: { about: 'Tasks after all others; notified handlers run at their end.' },
  handlers: {
    about: 'Tasks that run when they are notified, in the order in which they are written.',
    unlike: 'A notification that no handler listens to is found before the first connection.',
  },
  gate: {
    about: 'Tasks that must pass on every host of a batch before the next batch starts.',
    unlike: 'New.',
  },
  serial: { about: 'How many hosts, or which part of them, go through the play together; a list grows.' },
  max_fail_percentage: {
    about: 'Ends the play when more than this part of a batch has failed.',
    unlike: 'Unreachable hosts count.',
  },
  strategy: {
    about: '`free`: each host at its own pace. `linear`: task by task, all hosts in step.',
    unlike: '`free` is the default; `host_pinned` means the same.',
  },
  order: { about: 'In which order hosts are started.' },
  force_handlers: {
    about: 'Whether a failed host still runs the handlers it owes.',
    unlike: 'On by default.',
  },
  gather_facts: {
    about: 'Accepted, without effect.',
    unlike: 'Facts are asked for when a text mentions them, and only those.',
  },
  gather_subset: { about: 'Accepted, without effect.', unlike: 'See `gather_facts`.' },
  gather_timeout: {
    about: 'Accepted, without effect.',
    unlike: 'Every fact is a question of its own with its own deadline.',
  },
  fact_path: { about: 'Refused: no facts are read from files of the host.' },
  import_playbook: { about: 'The plays of another file, in this place.' },

  // Roles
  role: { about: 'Name of the role.' },
  tasks_from: { about: "Which of the role's files of tasks; `tasks.yml` where it is not given." },

  // Blocks
  block: { about: 'Tasks that share keywords.' },
  rescue: {
    about:
      'Tasks that run when one of the block failed; `ansible_failed_task` and `ansible_failed_result` say which.',
  },
  always: { about: 'Tasks that run in any case, after an interruption too.' },

  // Tasks
  id: {
    about:
      'A name for machines that stays the same when the task is renamed or moved; unique in the project.',
    unlike: 'New.',
  },
  args: { about: "More of the module's parameters." },
  loop: {
    about: 'A list; the task is done for each `item`.',
    unlike: 'The questions of all items travel together.',
  },
  loop_control: { about: '`loop_var`, `index_var` and `label` of the loop.' },
  register: {
    about: 'Variable that holds the result.',
    unlike: 'Where a task was only planned its result is unknown, never a false success.',
  },
  when: {
    about: 'A condition, or a list of which all must hold.',
    unlike: 'Written in CEL; must give true or false.',
  },
  failed_when: {
    about: 'What counts as a failure.',
    unlike: 'Written in CEL; not asked where the task did not run.',
  },
  changed_when: {
    about: 'What counts as a change.',
    unlike: 'Written in CEL; not asked where the task did not run.',
  },
  until: {
    about: 'Tries again until this holds, three times where `retries` says nothing.',
    unlike: 'Written in CEL.',
  },
  retries: { about: 'How often to try again.' },
  delay: { about: 'Seconds between two attempts, 5 where it is not given.' },
  backoff: { about: 'Factor by which the delay grows with each attempt.', unlike: 'New.' },
  async: {
    about: 'Refused: every change runs as a detached job that outlives the connection.',
  },
  poll: { about: 'Refused: see `async`.' },
  guard: {
    about:
      '`reconnect` keeps a change only when a new connection can be opened after it, and has the host take it back otherwise; `none` does without where it is implied. See [guards](guards.md).',
    unlike: 'New.',
  },
  notify: {
    about: 'Handlers, or topics they listen to, to run when the task changes something.',
    unlike: 'Also on blocks and includes.',
  },
  listen: { about: 'Topics under which a handler can be notified besides its name.' },
  delegate_to: { about: 'Host on which the task is done in place of the one it is done for.' },

  // Everywhere
  tags: {
    about: 'Words by which `--tags` and `--skip-tags` choose; `always` and `never` are special.',
    unlike: 'Inherited through every kind of import and include.',
  },
  become: { about: 'Whether to become another user.' },
  become_user: { about: 'The user to become, root where it is not given.' },
  become_method: { about: 'How to become that user.', unlike: 'One of `sudo`, `su` and `doas`.' },
  become_flags: { about: 'Refused: the program is always called in the same way.' },
  become_exe: { about: "Refused: the program is found on the host's path." },
  environment: {
    about: 'Environment of the commands that make changes, level by level.',
    unlike: 'Values travel through standard input and are seen in no list of processes.',
  },
  module_defaults: { about: 'Parameters by module, for tasks that do not give them.' },
  connection: {
    about: 'Accepted where it says what the inventory says of every host of the play.',
    unlike: 'How a host is reached is said in the inventory.',
  },
  port: { about: 'Accepted where the inventory says the same.', unlike: 'See `connection`.' },
  remote_user: { about: 'Accepted where the inventory says the same.', unlike: 'See `connection`.' },
  check_mode: { about: 'True: the task never changes anything, it only says what it would change.' },
  diff: { about: 'Whether differing texts are shown.' },
  no_log: {
    about: 'Hides result and items of the task.',
    unlike: 'Secrets are hidden everywhere without it.',
  },
  ignore_errors: { about: 'Goes on after a failure; it is counted and shown as ignored.' },
  ignore_unreachable: { about: 'Goes on when the host is lost; the next task connects anew.' },
  any_errors_fatal: {
    about: 'One failure ends the play for all hosts.',
    unlike: 'An unreachable host counts. Stands at the play alone.',
  },
  run_once: { about: 'One host of the batch does it; what it registers all others have.' },
  throttle: { about: 'How many hosts may do this at a time.' },
  timeout: { about: 'Seconds a change may take; then it is ended on the host, and has failed.' },
  answers: {
    about: 'The considerations of hosting that this answers, such as `power` or `backups`.',
    unlike: 'New.',
  },
}
