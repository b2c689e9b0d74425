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
complete -c belljar -n "__fish_belljar_needs_command" -f -a "explain" -d 'explain a policy key, or list all of them'
complete -c belljar -n "__fish_belljar_needs_command" -f -a "policy" -d 'check and show policies'
complete -c belljar -n "__fish_belljar_using_subcommand explain" -l json -d 'Print JSON instead of text'
complete -c belljar -n "__fish_belljar_using_subcommand explain" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c belljar -n "__fish_belljar_using_subcommand policy; and not __fish_seen_subcommand_from check" -s h -l help -d 'Print help (see more with \'--help\')'
complete -c belljar -n "__fish_belljar_using_subcommand policy; and not __fish_seen_subcommand_from check" -f -a "check" -d 'read a policy file strictly'
complete -c belljar -n "__fish_belljar_using_subcommand policy; and __fish_seen_subcommand_from check" -s h -l help -d 'Print help (see more with \'--help\')'
