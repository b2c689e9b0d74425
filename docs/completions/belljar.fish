# Print an optspec for argparse to handle cmd's options that are independent of any subcommand.
function __fish_belljar_global_optspecs
    string join \n h/help V/version
end

function __fish_belljar_needs_command
    # Figure out if the current invocation already has a command.
    set -l cmd (commandline -opc)
    set -e cmd[1]
    argparse -s (__fish_belljar_global_optspecs) -- $cmd 2>/dev/null
    or return
    if set -q argv[1]
        # Also print the command, so this can be used to figure out what it is.
        echo $argv[1]
        return 1
    end
    return 0
end

function __fish_belljar_using_subcommand
    set -l cmd (__fish_belljar_needs_command)
    test -z "$cmd"
    and return 1
    contains -- $cmd[1] $argv
end

complete -c belljar -n "__fish_belljar_needs_command" -s h -l help -d 'Print help'
complete -c belljar -n "__fish_belljar_needs_command" -s V -l version -d 'Print version'
complete -c belljar -n "__fish_belljar_needs_command" -f -a "run" -d 'run a command in a jar'
complete -c belljar -n "__fish_belljar_needs_command" -f -a "shell" -d 'open a shell in a jar'
complete -c belljar -n "__fish_belljar_needs_command" -f -a "filter" -d 'run a command that has its standard descriptors and nothing else'
complete -c belljar -n "__fish_belljar_needs_command" -f -a "learn" -d 'run a command in a jar and say which rules it lacked'
complete -c belljar -n "__fish_belljar_needs_command" -f -a "decode" -d 'decode pictures that nobody trusts, each in a worker of its own'
complete -c belljar -n "__fish_belljar_needs_command" -f -a "plan" -d 'say how this host would enforce a policy; run nothing'
complete -c belljar -n "__fish_belljar_needs_command" -f -a "why" -d 'say whether something is allowed, by which rule, and which flag would allow it'
complete -c belljar -n "__fish_belljar_needs_command" -f -a "explain" -d 'explain a policy key, or list all of them'
complete -c belljar -n "__fish_belljar_needs_command" -f -a "doctor" -d 'try what belljar needs from this host'
complete -c belljar -n "__fish_belljar_needs_command" -f -a "policy" -d 'check and show policies'
complete -c belljar -n "__fish_belljar_needs_command" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c belljar -n "__fish_belljar_using_subcommand run" -s p -l policy -d 'Start from a policy file or preset' -r
complete -c belljar -n "__fish_belljar_using_subcommand run" -s r -l read -d 'Grant reading, listing and executing' -r
complete -c belljar -n "__fish_belljar_using_subcommand run" -l read-noexec -d 'Grant reading and listing, refuse executing' -r
complete -c belljar -n "__fish_belljar_using_subcommand run" -s w -l write -d 'Grant reading, writing, creating, removing and executing' -r
complete -c belljar -n "__fish_belljar_using_subcommand run" -l cow -d 'Let writes succeed but keep them aside' -r
complete -c belljar -n "__fish_belljar_using_subcommand run" -l hide -d 'Hide a path inside a granted folder' -r
complete -c belljar -n "__fish_belljar_using_subcommand run" -l dangerously-grant -d 'Permit a grant of /, the home folder or a container engine\'s socket' -r
complete -c belljar -n "__fish_belljar_using_subcommand run" -l unveil -d 'Show this path and hide whatever presets grant of the host (OpenBSD\'s unveil)' -r
complete -c belljar -n "__fish_belljar_using_subcommand run" -l root -d 'Make a folder the root of the jar' -r
complete -c belljar -n "__fish_belljar_using_subcommand run" -l cwd -d 'Start in this folder of the jar' -r
complete -c belljar -n "__fish_belljar_using_subcommand run" -l tmp -d 'Give the jar a private /tmp of this size' -r
complete -c belljar -n "__fish_belljar_using_subcommand run" -l throw-away -d 'Keep writes to "cow" folders in memory of this size and drop them at the end' -r
complete -c belljar -n "__fish_belljar_using_subcommand run" -l proc -d 'Show /proc with the jar\'s own processes, or none' -r
complete -c belljar -n "__fish_belljar_using_subcommand run" -l dev -d 'Show the harmless devices, or none' -r
complete -c belljar -n "__fish_belljar_using_subcommand run" -s n -l net -d 'Network that the program may reach' -r
complete -c belljar -n "__fish_belljar_using_subcommand run" -l deny-net -d 'Hosts that are never reached; deny wins' -r
complete -c belljar -n "__fish_belljar_using_subcommand run" -l reach -d 'Service of the host\'s own loopback that the jar finds on its loopback' -r
complete -c belljar -n "__fish_belljar_using_subcommand run" -l publish -d 'Server of the jar that the host reaches on its own loopback' -r
complete -c belljar -n "__fish_belljar_using_subcommand run" -l host -d 'Address that a name leads to' -r
complete -c belljar -n "__fish_belljar_using_subcommand run" -l socket -d 'Service of the host behind a unix socket, by its path or as ssh-agent or gpg-agent' -r
complete -c belljar -n "__fish_belljar_using_subcommand run" -s e -l env -d 'Variables that pass from the caller' -r
complete -c belljar -n "__fish_belljar_using_subcommand run" -l allow-syscall -d 'System calls that pass the filter' -r
complete -c belljar -n "__fish_belljar_using_subcommand run" -l deny-syscall -d 'System calls that never pass; deny wins' -r
complete -c belljar -n "__fish_belljar_using_subcommand run" -l when -d 'Let a system call pass only with these arguments' -r
complete -c belljar -n "__fish_belljar_using_subcommand run" -l otherwise -d 'What happens to a system call that nothing lets through' -r
complete -c belljar -n "__fish_belljar_using_subcommand run" -s m -l memory -d 'Memory of the whole process tree' -r
complete -c belljar -n "__fish_belljar_using_subcommand run" -l pids -d 'Processes and threads at once' -r
complete -c belljar -n "__fish_belljar_using_subcommand run" -s t -l wall -l timeout -d 'Wall-clock time of the run' -r
complete -c belljar -n "__fish_belljar_using_subcommand run" -l cpu -d 'Processor time of the whole process tree' -r
complete -c belljar -n "__fish_belljar_using_subcommand run" -l files -d 'Open descriptors of one process' -r
complete -c belljar -n "__fish_belljar_using_subcommand run" -l fsize -d 'Largest file that may be written' -r
complete -c belljar -n "__fish_belljar_using_subcommand run" -l data -d 'Private writable memory of one process' -r
complete -c belljar -n "__fish_belljar_using_subcommand run" -l output -d 'Bytes of standard output and error together' -r
complete -c belljar -n "__fish_belljar_using_subcommand run" -l action -d 'Let the program ask for something that is done outside the jar' -r
complete -c belljar -n "__fish_belljar_using_subcommand run" -l service -d 'Look something up for the program, or keep its log, so that it need not reach for it' -r
complete -c belljar -n "__fish_belljar_using_subcommand run" -l require -d 'Refuse to start unless a subject is enforced by so many layers, or by this one' -r
complete -c belljar -n "__fish_belljar_using_subcommand run" -l allow-weaker -d 'Start even if this host cannot enforce the rules of a subject' -r
complete -c belljar -n "__fish_belljar_using_subcommand run" -l pass-fd -d 'Let the program inherit a descriptor' -r
complete -c belljar -n "__fish_belljar_using_subcommand run" -l promise -d 'End the program when it does more than these promises of OpenBSD\'s pledge' -r
complete -c belljar -n "__fish_belljar_using_subcommand run" -l umask -d 'File mode mask of the program' -r
complete -c belljar -n "__fish_belljar_using_subcommand run" -l hostname -d 'Host name inside the jar' -r
complete -c belljar -n "__fish_belljar_using_subcommand run" -l report -d 'Write the JSON report of the run here; for why: answer from it' -r
complete -c belljar -n "__fish_belljar_using_subcommand run" -l events -d 'Write what is refused here while the program runs' -r
complete -c belljar -n "__fish_belljar_using_subcommand run" -l ask -d 'Ask about files and hosts that the policy does not grant, when the program wants them' -r
complete -c belljar -n "__fish_belljar_using_subcommand run" -l ask-save -d 'Write what is always granted to this policy file' -r
complete -c belljar -n "__fish_belljar_using_subcommand run" -l engine -d 'What runs the program' -r
complete -c belljar -n "__fish_belljar_using_subcommand run" -l proxy -d 'Offer HTTP and SOCKS5 proxies inside, by the usual variables'
complete -c belljar -n "__fish_belljar_using_subcommand run" -l debug -d 'Let processes of the jar trace one another (gdb, strace)'
complete -c belljar -n "__fish_belljar_using_subcommand run" -l trace -d 'Send every call that names a path to the broker'
complete -c belljar -n "__fish_belljar_using_subcommand run" -l explain -d 'Say at the end what of the host the program lacked'
complete -c belljar -n "__fish_belljar_using_subcommand run" -s v -l verbose -d 'Say at the end what held each rule'
complete -c belljar -n "__fish_belljar_using_subcommand run" -s q -l quiet -d 'Do not say at the end what was refused or which limit ended the run'
complete -c belljar -n "__fish_belljar_using_subcommand run" -s h -l help -d 'Print help'
complete -c belljar -n "__fish_belljar_using_subcommand shell" -s p -l policy -d 'Start from a policy file or preset' -r
complete -c belljar -n "__fish_belljar_using_subcommand shell" -s r -l read -d 'Grant reading, listing and executing' -r
complete -c belljar -n "__fish_belljar_using_subcommand shell" -l read-noexec -d 'Grant reading and listing, refuse executing' -r
complete -c belljar -n "__fish_belljar_using_subcommand shell" -s w -l write -d 'Grant reading, writing, creating, removing and executing' -r
complete -c belljar -n "__fish_belljar_using_subcommand shell" -l cow -d 'Let writes succeed but keep them aside' -r
complete -c belljar -n "__fish_belljar_using_subcommand shell" -l hide -d 'Hide a path inside a granted folder' -r
complete -c belljar -n "__fish_belljar_using_subcommand shell" -l dangerously-grant -d 'Permit a grant of /, the home folder or a container engine\'s socket' -r
complete -c belljar -n "__fish_belljar_using_subcommand shell" -l unveil -d 'Show this path and hide whatever presets grant of the host (OpenBSD\'s unveil)' -r
complete -c belljar -n "__fish_belljar_using_subcommand shell" -l root -d 'Make a folder the root of the jar' -r
complete -c belljar -n "__fish_belljar_using_subcommand shell" -l cwd -d 'Start in this folder of the jar' -r
complete -c belljar -n "__fish_belljar_using_subcommand shell" -l tmp -d 'Give the jar a private /tmp of this size' -r
complete -c belljar -n "__fish_belljar_using_subcommand shell" -l throw-away -d 'Keep writes to "cow" folders in memory of this size and drop them at the end' -r
complete -c belljar -n "__fish_belljar_using_subcommand shell" -l proc -d 'Show /proc with the jar\'s own processes, or none' -r
complete -c belljar -n "__fish_belljar_using_subcommand shell" -l dev -d 'Show the harmless devices, or none' -r
complete -c belljar -n "__fish_belljar_using_subcommand shell" -s n -l net -d 'Network that the program may reach' -r
complete -c belljar -n "__fish_belljar_using_subcommand shell" -l deny-net -d 'Hosts that are never reached; deny wins' -r
complete -c belljar -n "__fish_belljar_using_subcommand shell" -l reach -d 'Service of the host\'s own loopback that the jar finds on its loopback' -r
complete -c belljar -n "__fish_belljar_using_subcommand shell" -l publish -d 'Server of the jar that the host reaches on its own loopback' -r
complete -c belljar -n "__fish_belljar_using_subcommand shell" -l host -d 'Address that a name leads to' -r
complete -c belljar -n "__fish_belljar_using_subcommand shell" -l socket -d 'Service of the host behind a unix socket, by its path or as ssh-agent or gpg-agent' -r
complete -c belljar -n "__fish_belljar_using_subcommand shell" -s e -l env -d 'Variables that pass from the caller' -r
complete -c belljar -n "__fish_belljar_using_subcommand shell" -l allow-syscall -d 'System calls that pass the filter' -r
complete -c belljar -n "__fish_belljar_using_subcommand shell" -l deny-syscall -d 'System calls that never pass; deny wins' -r
complete -c belljar -n "__fish_belljar_using_subcommand shell" -l when -d 'Let a system call pass only with these arguments' -r
complete -c belljar -n "__fish_belljar_using_subcommand shell" -l otherwise -d 'What happens to a system call that nothing lets through' -r
complete -c belljar -n "__fish_belljar_using_subcommand shell" -s m -l memory -d 'Memory of the whole process tree' -r
complete -c belljar -n "__fish_belljar_using_subcommand shell" -l pids -d 'Processes and threads at once' -r
complete -c belljar -n "__fish_belljar_using_subcommand shell" -s t -l wall -l timeout -d 'Wall-clock time of the run' -r
complete -c belljar -n "__fish_belljar_using_subcommand shell" -l cpu -d 'Processor time of the whole process tree' -r
complete -c belljar -n "__fish_belljar_using_subcommand shell" -l files -d 'Open descriptors of one process' -r
complete -c belljar -n "__fish_belljar_using_subcommand shell" -l fsize -d 'Largest file that may be written' -r
complete -c belljar -n "__fish_belljar_using_subcommand shell" -l data -d 'Private writable memory of one process' -r
complete -c belljar -n "__fish_belljar_using_subcommand shell" -l output -d 'Bytes of standard output and error together' -r
complete -c belljar -n "__fish_belljar_using_subcommand shell" -l action -d 'Let the program ask for something that is done outside the jar' -r
complete -c belljar -n "__fish_belljar_using_subcommand shell" -l service -d 'Look something up for the program, or keep its log, so that it need not reach for it' -r
complete -c belljar -n "__fish_belljar_using_subcommand shell" -l require -d 'Refuse to start unless a subject is enforced by so many layers, or by this one' -r
complete -c belljar -n "__fish_belljar_using_subcommand shell" -l allow-weaker -d 'Start even if this host cannot enforce the rules of a subject' -r
complete -c belljar -n "__fish_belljar_using_subcommand shell" -l pass-fd -d 'Let the program inherit a descriptor' -r
complete -c belljar -n "__fish_belljar_using_subcommand shell" -l promise -d 'End the program when it does more than these promises of OpenBSD\'s pledge' -r
complete -c belljar -n "__fish_belljar_using_subcommand shell" -l umask -d 'File mode mask of the program' -r
complete -c belljar -n "__fish_belljar_using_subcommand shell" -l hostname -d 'Host name inside the jar' -r
complete -c belljar -n "__fish_belljar_using_subcommand shell" -l report -d 'Write the JSON report of the run here; for why: answer from it' -r
complete -c belljar -n "__fish_belljar_using_subcommand shell" -l events -d 'Write what is refused here while the program runs' -r
complete -c belljar -n "__fish_belljar_using_subcommand shell" -l ask -d 'Ask about files and hosts that the policy does not grant, when the program wants them' -r
complete -c belljar -n "__fish_belljar_using_subcommand shell" -l ask-save -d 'Write what is always granted to this policy file' -r
complete -c belljar -n "__fish_belljar_using_subcommand shell" -l engine -d 'What runs the program' -r
complete -c belljar -n "__fish_belljar_using_subcommand shell" -l proxy -d 'Offer HTTP and SOCKS5 proxies inside, by the usual variables'
complete -c belljar -n "__fish_belljar_using_subcommand shell" -l debug -d 'Let processes of the jar trace one another (gdb, strace)'
complete -c belljar -n "__fish_belljar_using_subcommand shell" -l trace -d 'Send every call that names a path to the broker'
complete -c belljar -n "__fish_belljar_using_subcommand shell" -l explain -d 'Say at the end what of the host the program lacked'
complete -c belljar -n "__fish_belljar_using_subcommand shell" -s v -l verbose -d 'Say at the end what held each rule'
complete -c belljar -n "__fish_belljar_using_subcommand shell" -s q -l quiet -d 'Do not say at the end what was refused or which limit ended the run'
complete -c belljar -n "__fish_belljar_using_subcommand shell" -s h -l help -d 'Print help'
complete -c belljar -n "__fish_belljar_using_subcommand filter" -s p -l policy -d 'Start from a policy file or preset' -r
complete -c belljar -n "__fish_belljar_using_subcommand filter" -s r -l read -d 'Grant reading, listing and executing' -r
complete -c belljar -n "__fish_belljar_using_subcommand filter" -l read-noexec -d 'Grant reading and listing, refuse executing' -r
complete -c belljar -n "__fish_belljar_using_subcommand filter" -s w -l write -d 'Grant reading, writing, creating, removing and executing' -r
complete -c belljar -n "__fish_belljar_using_subcommand filter" -l cow -d 'Let writes succeed but keep them aside' -r
complete -c belljar -n "__fish_belljar_using_subcommand filter" -l hide -d 'Hide a path inside a granted folder' -r
complete -c belljar -n "__fish_belljar_using_subcommand filter" -l dangerously-grant -d 'Permit a grant of /, the home folder or a container engine\'s socket' -r
complete -c belljar -n "__fish_belljar_using_subcommand filter" -l unveil -d 'Show this path and hide whatever presets grant of the host (OpenBSD\'s unveil)' -r
complete -c belljar -n "__fish_belljar_using_subcommand filter" -l root -d 'Make a folder the root of the jar' -r
complete -c belljar -n "__fish_belljar_using_subcommand filter" -l cwd -d 'Start in this folder of the jar' -r
complete -c belljar -n "__fish_belljar_using_subcommand filter" -l tmp -d 'Give the jar a private /tmp of this size' -r
complete -c belljar -n "__fish_belljar_using_subcommand filter" -l throw-away -d 'Keep writes to "cow" folders in memory of this size and drop them at the end' -r
complete -c belljar -n "__fish_belljar_using_subcommand filter" -l proc -d 'Show /proc with the jar\'s own processes, or none' -r
complete -c belljar -n "__fish_belljar_using_subcommand filter" -l dev -d 'Show the harmless devices, or none' -r
complete -c belljar -n "__fish_belljar_using_subcommand filter" -s n -l net -d 'Network that the program may reach' -r
complete -c belljar -n "__fish_belljar_using_subcommand filter" -l deny-net -d 'Hosts that are never reached; deny wins' -r
complete -c belljar -n "__fish_belljar_using_subcommand filter" -l reach -d 'Service of the host\'s own loopback that the jar finds on its loopback' -r
complete -c belljar -n "__fish_belljar_using_subcommand filter" -l publish -d 'Server of the jar that the host reaches on its own loopback' -r
complete -c belljar -n "__fish_belljar_using_subcommand filter" -l host -d 'Address that a name leads to' -r
complete -c belljar -n "__fish_belljar_using_subcommand filter" -l socket -d 'Service of the host behind a unix socket, by its path or as ssh-agent or gpg-agent' -r
complete -c belljar -n "__fish_belljar_using_subcommand filter" -s e -l env -d 'Variables that pass from the caller' -r
complete -c belljar -n "__fish_belljar_using_subcommand filter" -l allow-syscall -d 'System calls that pass the filter' -r
complete -c belljar -n "__fish_belljar_using_subcommand filter" -l deny-syscall -d 'System calls that never pass; deny wins' -r
complete -c belljar -n "__fish_belljar_using_subcommand filter" -l when -d 'Let a system call pass only with these arguments' -r
complete -c belljar -n "__fish_belljar_using_subcommand filter" -l otherwise -d 'What happens to a system call that nothing lets through' -r
complete -c belljar -n "__fish_belljar_using_subcommand filter" -s m -l memory -d 'Memory of the whole process tree' -r
complete -c belljar -n "__fish_belljar_using_subcommand filter" -l pids -d 'Processes and threads at once' -r
complete -c belljar -n "__fish_belljar_using_subcommand filter" -s t -l wall -l timeout -d 'Wall-clock time of the run' -r
complete -c belljar -n "__fish_belljar_using_subcommand filter" -l cpu -d 'Processor time of the whole process tree' -r
complete -c belljar -n "__fish_belljar_using_subcommand filter" -l files -d 'Open descriptors of one process' -r
complete -c belljar -n "__fish_belljar_using_subcommand filter" -l fsize -d 'Largest file that may be written' -r
complete -c belljar -n "__fish_belljar_using_subcommand filter" -l data -d 'Private writable memory of one process' -r
complete -c belljar -n "__fish_belljar_using_subcommand filter" -l output -d 'Bytes of standard output and error together' -r
complete -c belljar -n "__fish_belljar_using_subcommand filter" -l action -d 'Let the program ask for something that is done outside the jar' -r
complete -c belljar -n "__fish_belljar_using_subcommand filter" -l service -d 'Look something up for the program, or keep its log, so that it need not reach for it' -r
complete -c belljar -n "__fish_belljar_using_subcommand filter" -l require -d 'Refuse to start unless a subject is enforced by so many layers, or by this one' -r
complete -c belljar -n "__fish_belljar_using_subcommand filter" -l allow-weaker -d 'Start even if this host cannot enforce the rules of a subject' -r
complete -c belljar -n "__fish_belljar_using_subcommand filter" -l pass-fd -d 'Let the program inherit a descriptor' -r
complete -c belljar -n "__fish_belljar_using_subcommand filter" -l promise -d 'End the program when it does more than these promises of OpenBSD\'s pledge' -r
complete -c belljar -n "__fish_belljar_using_subcommand filter" -l umask -d 'File mode mask of the program' -r
complete -c belljar -n "__fish_belljar_using_subcommand filter" -l hostname -d 'Host name inside the jar' -r
complete -c belljar -n "__fish_belljar_using_subcommand filter" -l report -d 'Write the JSON report of the run here; for why: answer from it' -r
complete -c belljar -n "__fish_belljar_using_subcommand filter" -l events -d 'Write what is refused here while the program runs' -r
complete -c belljar -n "__fish_belljar_using_subcommand filter" -l engine -d 'What runs the program' -r
complete -c belljar -n "__fish_belljar_using_subcommand filter" -l proxy -d 'Offer HTTP and SOCKS5 proxies inside, by the usual variables'
complete -c belljar -n "__fish_belljar_using_subcommand filter" -l debug -d 'Let processes of the jar trace one another (gdb, strace)'
complete -c belljar -n "__fish_belljar_using_subcommand filter" -l trace -d 'Send every call that names a path to the broker'
complete -c belljar -n "__fish_belljar_using_subcommand filter" -s v -l verbose -d 'Say at the end what held each rule'
complete -c belljar -n "__fish_belljar_using_subcommand filter" -s q -l quiet -d 'Do not say at the end what was refused or which limit ended the run'
complete -c belljar -n "__fish_belljar_using_subcommand filter" -s h -l help -d 'Print help'
complete -c belljar -n "__fish_belljar_using_subcommand learn" -s p -l policy -d 'Start from a policy file or preset' -r
complete -c belljar -n "__fish_belljar_using_subcommand learn" -s r -l read -d 'Grant reading, listing and executing' -r
complete -c belljar -n "__fish_belljar_using_subcommand learn" -l read-noexec -d 'Grant reading and listing, refuse executing' -r
complete -c belljar -n "__fish_belljar_using_subcommand learn" -s w -l write -d 'Grant reading, writing, creating, removing and executing' -r
complete -c belljar -n "__fish_belljar_using_subcommand learn" -l cow -d 'Let writes succeed but keep them aside' -r
complete -c belljar -n "__fish_belljar_using_subcommand learn" -l hide -d 'Hide a path inside a granted folder' -r
complete -c belljar -n "__fish_belljar_using_subcommand learn" -l dangerously-grant -d 'Permit a grant of /, the home folder or a container engine\'s socket' -r
complete -c belljar -n "__fish_belljar_using_subcommand learn" -l unveil -d 'Show this path and hide whatever presets grant of the host (OpenBSD\'s unveil)' -r
complete -c belljar -n "__fish_belljar_using_subcommand learn" -l root -d 'Make a folder the root of the jar' -r
complete -c belljar -n "__fish_belljar_using_subcommand learn" -l cwd -d 'Start in this folder of the jar' -r
complete -c belljar -n "__fish_belljar_using_subcommand learn" -l tmp -d 'Give the jar a private /tmp of this size' -r
complete -c belljar -n "__fish_belljar_using_subcommand learn" -l throw-away -d 'Keep writes to "cow" folders in memory of this size and drop them at the end' -r
complete -c belljar -n "__fish_belljar_using_subcommand learn" -l proc -d 'Show /proc with the jar\'s own processes, or none' -r
complete -c belljar -n "__fish_belljar_using_subcommand learn" -l dev -d 'Show the harmless devices, or none' -r
complete -c belljar -n "__fish_belljar_using_subcommand learn" -s n -l net -d 'Network that the program may reach' -r
complete -c belljar -n "__fish_belljar_using_subcommand learn" -l deny-net -d 'Hosts that are never reached; deny wins' -r
complete -c belljar -n "__fish_belljar_using_subcommand learn" -l reach -d 'Service of the host\'s own loopback that the jar finds on its loopback' -r
complete -c belljar -n "__fish_belljar_using_subcommand learn" -l publish -d 'Server of the jar that the host reaches on its own loopback' -r
complete -c belljar -n "__fish_belljar_using_subcommand learn" -l host -d 'Address that a name leads to' -r
complete -c belljar -n "__fish_belljar_using_subcommand learn" -l socket -d 'Service of the host behind a unix socket, by its path or as ssh-agent or gpg-agent' -r
complete -c belljar -n "__fish_belljar_using_subcommand learn" -s e -l env -d 'Variables that pass from the caller' -r
complete -c belljar -n "__fish_belljar_using_subcommand learn" -l allow-syscall -d 'System calls that pass the filter' -r
complete -c belljar -n "__fish_belljar_using_subcommand learn" -l deny-syscall -d 'System calls that never pass; deny wins' -r
complete -c belljar -n "__fish_belljar_using_subcommand learn" -l when -d 'Let a system call pass only with these arguments' -r
complete -c belljar -n "__fish_belljar_using_subcommand learn" -l otherwise -d 'What happens to a system call that nothing lets through' -r
complete -c belljar -n "__fish_belljar_using_subcommand learn" -s m -l memory -d 'Memory of the whole process tree' -r
complete -c belljar -n "__fish_belljar_using_subcommand learn" -l pids -d 'Processes and threads at once' -r
complete -c belljar -n "__fish_belljar_using_subcommand learn" -s t -l wall -l timeout -d 'Wall-clock time of the run' -r
complete -c belljar -n "__fish_belljar_using_subcommand learn" -l cpu -d 'Processor time of the whole process tree' -r
complete -c belljar -n "__fish_belljar_using_subcommand learn" -l files -d 'Open descriptors of one process' -r
complete -c belljar -n "__fish_belljar_using_subcommand learn" -l fsize -d 'Largest file that may be written' -r
complete -c belljar -n "__fish_belljar_using_subcommand learn" -l data -d 'Private writable memory of one process' -r
complete -c belljar -n "__fish_belljar_using_subcommand learn" -l output -d 'Bytes of standard output and error together' -r
complete -c belljar -n "__fish_belljar_using_subcommand learn" -l action -d 'Let the program ask for something that is done outside the jar' -r
complete -c belljar -n "__fish_belljar_using_subcommand learn" -l service -d 'Look something up for the program, or keep its log, so that it need not reach for it' -r
complete -c belljar -n "__fish_belljar_using_subcommand learn" -l require -d 'Refuse to start unless a subject is enforced by so many layers, or by this one' -r
complete -c belljar -n "__fish_belljar_using_subcommand learn" -l allow-weaker -d 'Start even if this host cannot enforce the rules of a subject' -r
complete -c belljar -n "__fish_belljar_using_subcommand learn" -l pass-fd -d 'Let the program inherit a descriptor' -r
complete -c belljar -n "__fish_belljar_using_subcommand learn" -l promise -d 'End the program when it does more than these promises of OpenBSD\'s pledge' -r
complete -c belljar -n "__fish_belljar_using_subcommand learn" -l umask -d 'File mode mask of the program' -r
complete -c belljar -n "__fish_belljar_using_subcommand learn" -l hostname -d 'Host name inside the jar' -r
complete -c belljar -n "__fish_belljar_using_subcommand learn" -l report -d 'Write the JSON report of the run here; for why: answer from it' -r
complete -c belljar -n "__fish_belljar_using_subcommand learn" -l save -d 'Make a policy file of what was learned' -r
complete -c belljar -n "__fish_belljar_using_subcommand learn" -l events -d 'Write what is refused here while the program runs' -r
complete -c belljar -n "__fish_belljar_using_subcommand learn" -l ask -d 'Ask about files and hosts that the policy does not grant, when the program wants them' -r
complete -c belljar -n "__fish_belljar_using_subcommand learn" -l engine -d 'What runs the program' -r
complete -c belljar -n "__fish_belljar_using_subcommand learn" -l proxy -d 'Offer HTTP and SOCKS5 proxies inside, by the usual variables'
complete -c belljar -n "__fish_belljar_using_subcommand learn" -l debug -d 'Let processes of the jar trace one another (gdb, strace)'
complete -c belljar -n "__fish_belljar_using_subcommand learn" -l trace -d 'Send every call that names a path to the broker'
complete -c belljar -n "__fish_belljar_using_subcommand learn" -s v -l verbose -d 'Say at the end what held each rule'
complete -c belljar -n "__fish_belljar_using_subcommand learn" -s q -l quiet -d 'Do not say at the end what was refused or which limit ended the run'
complete -c belljar -n "__fish_belljar_using_subcommand learn" -s h -l help -d 'Print help'
complete -c belljar -n "__fish_belljar_using_subcommand decode" -l out -d 'Folder for what was decoded; made when it is not there' -r
complete -c belljar -n "__fish_belljar_using_subcommand decode" -l thumbnail -d 'Make pictures fit into a square of this size' -r
complete -c belljar -n "__fish_belljar_using_subcommand decode" -l jobs -d 'Workers at once' -r
complete -c belljar -n "__fish_belljar_using_subcommand decode" -s q -l quiet -d 'Do not say at the end what was refused or which limit ended the run'
complete -c belljar -n "__fish_belljar_using_subcommand decode" -l image -d 'The files are pictures: PNG, JPEG, WebP, GIF or TIFF'
complete -c belljar -n "__fish_belljar_using_subcommand decode" -l overwrite -d 'Replace files that are there already'
complete -c belljar -n "__fish_belljar_using_subcommand decode" -s h -l help -d 'Print help'
complete -c belljar -n "__fish_belljar_using_subcommand plan" -s p -l policy -d 'Start from a policy file or preset' -r
complete -c belljar -n "__fish_belljar_using_subcommand plan" -s r -l read -d 'Grant reading, listing and executing' -r
complete -c belljar -n "__fish_belljar_using_subcommand plan" -l read-noexec -d 'Grant reading and listing, refuse executing' -r
complete -c belljar -n "__fish_belljar_using_subcommand plan" -s w -l write -d 'Grant reading, writing, creating, removing and executing' -r
complete -c belljar -n "__fish_belljar_using_subcommand plan" -l cow -d 'Let writes succeed but keep them aside' -r
complete -c belljar -n "__fish_belljar_using_subcommand plan" -l hide -d 'Hide a path inside a granted folder' -r
complete -c belljar -n "__fish_belljar_using_subcommand plan" -l dangerously-grant -d 'Permit a grant of /, the home folder or a container engine\'s socket' -r
complete -c belljar -n "__fish_belljar_using_subcommand plan" -l unveil -d 'Show this path and hide whatever presets grant of the host (OpenBSD\'s unveil)' -r
complete -c belljar -n "__fish_belljar_using_subcommand plan" -l root -d 'Make a folder the root of the jar' -r
complete -c belljar -n "__fish_belljar_using_subcommand plan" -l cwd -d 'Start in this folder of the jar' -r
complete -c belljar -n "__fish_belljar_using_subcommand plan" -l tmp -d 'Give the jar a private /tmp of this size' -r
complete -c belljar -n "__fish_belljar_using_subcommand plan" -l throw-away -d 'Keep writes to "cow" folders in memory of this size and drop them at the end' -r
complete -c belljar -n "__fish_belljar_using_subcommand plan" -l proc -d 'Show /proc with the jar\'s own processes, or none' -r
complete -c belljar -n "__fish_belljar_using_subcommand plan" -l dev -d 'Show the harmless devices, or none' -r
complete -c belljar -n "__fish_belljar_using_subcommand plan" -s n -l net -d 'Network that the program may reach' -r
complete -c belljar -n "__fish_belljar_using_subcommand plan" -l deny-net -d 'Hosts that are never reached; deny wins' -r
complete -c belljar -n "__fish_belljar_using_subcommand plan" -l reach -d 'Service of the host\'s own loopback that the jar finds on its loopback' -r
complete -c belljar -n "__fish_belljar_using_subcommand plan" -l publish -d 'Server of the jar that the host reaches on its own loopback' -r
complete -c belljar -n "__fish_belljar_using_subcommand plan" -l host -d 'Address that a name leads to' -r
complete -c belljar -n "__fish_belljar_using_subcommand plan" -l socket -d 'Service of the host behind a unix socket, by its path or as ssh-agent or gpg-agent' -r
complete -c belljar -n "__fish_belljar_using_subcommand plan" -s e -l env -d 'Variables that pass from the caller' -r
complete -c belljar -n "__fish_belljar_using_subcommand plan" -l allow-syscall -d 'System calls that pass the filter' -r
complete -c belljar -n "__fish_belljar_using_subcommand plan" -l deny-syscall -d 'System calls that never pass; deny wins' -r
complete -c belljar -n "__fish_belljar_using_subcommand plan" -l when -d 'Let a system call pass only with these arguments' -r
complete -c belljar -n "__fish_belljar_using_subcommand plan" -l otherwise -d 'What happens to a system call that nothing lets through' -r
complete -c belljar -n "__fish_belljar_using_subcommand plan" -s m -l memory -d 'Memory of the whole process tree' -r
complete -c belljar -n "__fish_belljar_using_subcommand plan" -l pids -d 'Processes and threads at once' -r
complete -c belljar -n "__fish_belljar_using_subcommand plan" -s t -l wall -l timeout -d 'Wall-clock time of the run' -r
complete -c belljar -n "__fish_belljar_using_subcommand plan" -l cpu -d 'Processor time of the whole process tree' -r
complete -c belljar -n "__fish_belljar_using_subcommand plan" -l files -d 'Open descriptors of one process' -r
complete -c belljar -n "__fish_belljar_using_subcommand plan" -l fsize -d 'Largest file that may be written' -r
complete -c belljar -n "__fish_belljar_using_subcommand plan" -l data -d 'Private writable memory of one process' -r
complete -c belljar -n "__fish_belljar_using_subcommand plan" -l output -d 'Bytes of standard output and error together' -r
complete -c belljar -n "__fish_belljar_using_subcommand plan" -l action -d 'Let the program ask for something that is done outside the jar' -r
complete -c belljar -n "__fish_belljar_using_subcommand plan" -l service -d 'Look something up for the program, or keep its log, so that it need not reach for it' -r
complete -c belljar -n "__fish_belljar_using_subcommand plan" -l require -d 'Refuse to start unless a subject is enforced by so many layers, or by this one' -r
complete -c belljar -n "__fish_belljar_using_subcommand plan" -l allow-weaker -d 'Start even if this host cannot enforce the rules of a subject' -r
complete -c belljar -n "__fish_belljar_using_subcommand plan" -l pass-fd -d 'Let the program inherit a descriptor' -r
complete -c belljar -n "__fish_belljar_using_subcommand plan" -l promise -d 'End the program when it does more than these promises of OpenBSD\'s pledge' -r
complete -c belljar -n "__fish_belljar_using_subcommand plan" -l umask -d 'File mode mask of the program' -r
complete -c belljar -n "__fish_belljar_using_subcommand plan" -l hostname -d 'Host name inside the jar' -r
complete -c belljar -n "__fish_belljar_using_subcommand plan" -l proxy -d 'Offer HTTP and SOCKS5 proxies inside, by the usual variables'
complete -c belljar -n "__fish_belljar_using_subcommand plan" -l debug -d 'Let processes of the jar trace one another (gdb, strace)'
complete -c belljar -n "__fish_belljar_using_subcommand plan" -l trace -d 'Send every call that names a path to the broker'
complete -c belljar -n "__fish_belljar_using_subcommand plan" -l json -d 'Print JSON instead of text'
complete -c belljar -n "__fish_belljar_using_subcommand plan" -s h -l help -d 'Print help'
complete -c belljar -n "__fish_belljar_using_subcommand why" -s p -l policy -d 'Start from a policy file or preset' -r
complete -c belljar -n "__fish_belljar_using_subcommand why" -s r -l read -d 'Grant reading, listing and executing' -r
complete -c belljar -n "__fish_belljar_using_subcommand why" -l read-noexec -d 'Grant reading and listing, refuse executing' -r
complete -c belljar -n "__fish_belljar_using_subcommand why" -s w -l write -d 'Grant reading, writing, creating, removing and executing' -r
complete -c belljar -n "__fish_belljar_using_subcommand why" -l cow -d 'Let writes succeed but keep them aside' -r
complete -c belljar -n "__fish_belljar_using_subcommand why" -l hide -d 'Hide a path inside a granted folder' -r
complete -c belljar -n "__fish_belljar_using_subcommand why" -l dangerously-grant -d 'Permit a grant of /, the home folder or a container engine\'s socket' -r
complete -c belljar -n "__fish_belljar_using_subcommand why" -l unveil -d 'Show this path and hide whatever presets grant of the host (OpenBSD\'s unveil)' -r
complete -c belljar -n "__fish_belljar_using_subcommand why" -l root -d 'Make a folder the root of the jar' -r
complete -c belljar -n "__fish_belljar_using_subcommand why" -l cwd -d 'Start in this folder of the jar' -r
complete -c belljar -n "__fish_belljar_using_subcommand why" -l tmp -d 'Give the jar a private /tmp of this size' -r
complete -c belljar -n "__fish_belljar_using_subcommand why" -l throw-away -d 'Keep writes to "cow" folders in memory of this size and drop them at the end' -r
complete -c belljar -n "__fish_belljar_using_subcommand why" -l proc -d 'Show /proc with the jar\'s own processes, or none' -r
complete -c belljar -n "__fish_belljar_using_subcommand why" -l dev -d 'Show the harmless devices, or none' -r
complete -c belljar -n "__fish_belljar_using_subcommand why" -s n -l net -d 'Network that the program may reach' -r
complete -c belljar -n "__fish_belljar_using_subcommand why" -l deny-net -d 'Hosts that are never reached; deny wins' -r
complete -c belljar -n "__fish_belljar_using_subcommand why" -l reach -d 'Service of the host\'s own loopback that the jar finds on its loopback' -r
complete -c belljar -n "__fish_belljar_using_subcommand why" -l publish -d 'Server of the jar that the host reaches on its own loopback' -r
complete -c belljar -n "__fish_belljar_using_subcommand why" -l host -d 'Address that a name leads to' -r
complete -c belljar -n "__fish_belljar_using_subcommand why" -l socket -d 'Service of the host behind a unix socket, by its path or as ssh-agent or gpg-agent' -r
complete -c belljar -n "__fish_belljar_using_subcommand why" -s e -l env -d 'Variables that pass from the caller' -r
complete -c belljar -n "__fish_belljar_using_subcommand why" -l allow-syscall -d 'System calls that pass the filter' -r
complete -c belljar -n "__fish_belljar_using_subcommand why" -l deny-syscall -d 'System calls that never pass; deny wins' -r
complete -c belljar -n "__fish_belljar_using_subcommand why" -l when -d 'Let a system call pass only with these arguments' -r
complete -c belljar -n "__fish_belljar_using_subcommand why" -l otherwise -d 'What happens to a system call that nothing lets through' -r
complete -c belljar -n "__fish_belljar_using_subcommand why" -s m -l memory -d 'Memory of the whole process tree' -r
complete -c belljar -n "__fish_belljar_using_subcommand why" -l pids -d 'Processes and threads at once' -r
complete -c belljar -n "__fish_belljar_using_subcommand why" -s t -l wall -l timeout -d 'Wall-clock time of the run' -r
complete -c belljar -n "__fish_belljar_using_subcommand why" -l cpu -d 'Processor time of the whole process tree' -r
complete -c belljar -n "__fish_belljar_using_subcommand why" -l files -d 'Open descriptors of one process' -r
complete -c belljar -n "__fish_belljar_using_subcommand why" -l fsize -d 'Largest file that may be written' -r
complete -c belljar -n "__fish_belljar_using_subcommand why" -l data -d 'Private writable memory of one process' -r
complete -c belljar -n "__fish_belljar_using_subcommand why" -l output -d 'Bytes of standard output and error together' -r
complete -c belljar -n "__fish_belljar_using_subcommand why" -l action -d 'Let the program ask for something that is done outside the jar' -r
complete -c belljar -n "__fish_belljar_using_subcommand why" -l service -d 'Look something up for the program, or keep its log, so that it need not reach for it' -r
complete -c belljar -n "__fish_belljar_using_subcommand why" -l require -d 'Refuse to start unless a subject is enforced by so many layers, or by this one' -r
complete -c belljar -n "__fish_belljar_using_subcommand why" -l allow-weaker -d 'Start even if this host cannot enforce the rules of a subject' -r
complete -c belljar -n "__fish_belljar_using_subcommand why" -l pass-fd -d 'Let the program inherit a descriptor' -r
complete -c belljar -n "__fish_belljar_using_subcommand why" -l promise -d 'End the program when it does more than these promises of OpenBSD\'s pledge' -r
complete -c belljar -n "__fish_belljar_using_subcommand why" -l umask -d 'File mode mask of the program' -r
complete -c belljar -n "__fish_belljar_using_subcommand why" -l hostname -d 'Host name inside the jar' -r
complete -c belljar -n "__fish_belljar_using_subcommand why" -l report -d 'Write the JSON report of the run here; for why: answer from it' -r
complete -c belljar -n "__fish_belljar_using_subcommand why" -l proxy -d 'Offer HTTP and SOCKS5 proxies inside, by the usual variables'
complete -c belljar -n "__fish_belljar_using_subcommand why" -l debug -d 'Let processes of the jar trace one another (gdb, strace)'
complete -c belljar -n "__fish_belljar_using_subcommand why" -l trace -d 'Send every call that names a path to the broker'
complete -c belljar -n "__fish_belljar_using_subcommand why" -l json -d 'Print JSON instead of text'
complete -c belljar -n "__fish_belljar_using_subcommand why" -s h -l help -d 'Print help'
complete -c belljar -n "__fish_belljar_using_subcommand explain" -l json -d 'Print JSON instead of text'
complete -c belljar -n "__fish_belljar_using_subcommand explain" -s h -l help -d 'Print help'
complete -c belljar -n "__fish_belljar_using_subcommand doctor" -l json -d 'Print JSON instead of text'
complete -c belljar -n "__fish_belljar_using_subcommand doctor" -s h -l help -d 'Print help'
complete -c belljar -n "__fish_belljar_using_subcommand policy; and not __fish_seen_subcommand_from check show schema" -s h -l help -d 'Print help'
complete -c belljar -n "__fish_belljar_using_subcommand policy; and not __fish_seen_subcommand_from check show schema" -f -a "check" -d 'read a policy file strictly'
complete -c belljar -n "__fish_belljar_using_subcommand policy; and not __fish_seen_subcommand_from check show schema" -f -a "show" -d 'show the policy that the options make'
complete -c belljar -n "__fish_belljar_using_subcommand policy; and not __fish_seen_subcommand_from check show schema" -f -a "schema" -d 'print the JSON Schema of policy files'
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help'
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -s p -l policy -d 'Start from a policy file or preset' -r
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -s r -l read -d 'Grant reading, listing and executing' -r
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -l read-noexec -d 'Grant reading and listing, refuse executing' -r
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -s w -l write -d 'Grant reading, writing, creating, removing and executing' -r
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -l cow -d 'Let writes succeed but keep them aside' -r
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -l hide -d 'Hide a path inside a granted folder' -r
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -l dangerously-grant -d 'Permit a grant of /, the home folder or a container engine\'s socket' -r
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -l unveil -d 'Show this path and hide whatever presets grant of the host (OpenBSD\'s unveil)' -r
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -l root -d 'Make a folder the root of the jar' -r
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -l cwd -d 'Start in this folder of the jar' -r
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -l tmp -d 'Give the jar a private /tmp of this size' -r
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -l throw-away -d 'Keep writes to "cow" folders in memory of this size and drop them at the end' -r
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -l proc -d 'Show /proc with the jar\'s own processes, or none' -r
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -l dev -d 'Show the harmless devices, or none' -r
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -s n -l net -d 'Network that the program may reach' -r
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -l deny-net -d 'Hosts that are never reached; deny wins' -r
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -l reach -d 'Service of the host\'s own loopback that the jar finds on its loopback' -r
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -l publish -d 'Server of the jar that the host reaches on its own loopback' -r
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -l host -d 'Address that a name leads to' -r
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -l socket -d 'Service of the host behind a unix socket, by its path or as ssh-agent or gpg-agent' -r
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -s e -l env -d 'Variables that pass from the caller' -r
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -l allow-syscall -d 'System calls that pass the filter' -r
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -l deny-syscall -d 'System calls that never pass; deny wins' -r
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -l when -d 'Let a system call pass only with these arguments' -r
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -l otherwise -d 'What happens to a system call that nothing lets through' -r
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -s m -l memory -d 'Memory of the whole process tree' -r
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -l pids -d 'Processes and threads at once' -r
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -s t -l wall -l timeout -d 'Wall-clock time of the run' -r
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -l cpu -d 'Processor time of the whole process tree' -r
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -l files -d 'Open descriptors of one process' -r
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -l fsize -d 'Largest file that may be written' -r
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -l data -d 'Private writable memory of one process' -r
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -l output -d 'Bytes of standard output and error together' -r
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -l action -d 'Let the program ask for something that is done outside the jar' -r
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -l service -d 'Look something up for the program, or keep its log, so that it need not reach for it' -r
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -l require -d 'Refuse to start unless a subject is enforced by so many layers, or by this one' -r
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -l allow-weaker -d 'Start even if this host cannot enforce the rules of a subject' -r
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -l pass-fd -d 'Let the program inherit a descriptor' -r
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -l promise -d 'End the program when it does more than these promises of OpenBSD\'s pledge' -r
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -l umask -d 'File mode mask of the program' -r
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -l hostname -d 'Host name inside the jar' -r
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -l proxy -d 'Offer HTTP and SOCKS5 proxies inside, by the usual variables'
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -l debug -d 'Let processes of the jar trace one another (gdb, strace)'
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -l trace -d 'Send every call that names a path to the broker'
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -l json -d 'Print JSON instead of text'
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -l origin -d 'Say after each rule where it was written'
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from show" -s h -l help -d 'Print help'
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from schema" -s h -l help -d 'Print help'
complete -c belljar -n "__fish_belljar_using_subcommand help; and not __fish_seen_subcommand_from run shell filter learn decode plan why explain doctor policy help" -f -a "run" -d 'run a command in a jar'
complete -c belljar -n "__fish_belljar_using_subcommand help; and not __fish_seen_subcommand_from run shell filter learn decode plan why explain doctor policy help" -f -a "shell" -d 'open a shell in a jar'
complete -c belljar -n "__fish_belljar_using_subcommand help; and not __fish_seen_subcommand_from run shell filter learn decode plan why explain doctor policy help" -f -a "filter" -d 'run a command that has its standard descriptors and nothing else'
complete -c belljar -n "__fish_belljar_using_subcommand help; and not __fish_seen_subcommand_from run shell filter learn decode plan why explain doctor policy help" -f -a "learn" -d 'run a command in a jar and say which rules it lacked'
complete -c belljar -n "__fish_belljar_using_subcommand help; and not __fish_seen_subcommand_from run shell filter learn decode plan why explain doctor policy help" -f -a "decode" -d 'decode pictures that nobody trusts, each in a worker of its own'
complete -c belljar -n "__fish_belljar_using_subcommand help; and not __fish_seen_subcommand_from run shell filter learn decode plan why explain doctor policy help" -f -a "plan" -d 'say how this host would enforce a policy; run nothing'
complete -c belljar -n "__fish_belljar_using_subcommand help; and not __fish_seen_subcommand_from run shell filter learn decode plan why explain doctor policy help" -f -a "why" -d 'say whether something is allowed, by which rule, and which flag would allow it'
complete -c belljar -n "__fish_belljar_using_subcommand help; and not __fish_seen_subcommand_from run shell filter learn decode plan why explain doctor policy help" -f -a "explain" -d 'explain a policy key, or list all of them'
complete -c belljar -n "__fish_belljar_using_subcommand help; and not __fish_seen_subcommand_from run shell filter learn decode plan why explain doctor policy help" -f -a "doctor" -d 'try what belljar needs from this host'
complete -c belljar -n "__fish_belljar_using_subcommand help; and not __fish_seen_subcommand_from run shell filter learn decode plan why explain doctor policy help" -f -a "policy" -d 'check and show policies'
complete -c belljar -n "__fish_belljar_using_subcommand help; and not __fish_seen_subcommand_from run shell filter learn decode plan why explain doctor policy help" -f -a "help" -d 'Print this message or the help of the given subcommand(s)'
complete -c belljar -n "__fish_belljar_using_subcommand help; and __fish_seen_subcommand_from policy" -f -a "check" -d 'read a policy file strictly'
complete -c belljar -n "__fish_belljar_using_subcommand help; and __fish_seen_subcommand_from policy" -f -a "show" -d 'show the policy that the options make'
complete -c belljar -n "__fish_belljar_using_subcommand help; and __fish_seen_subcommand_from policy" -f -a "schema" -d 'print the JSON Schema of policy files'
