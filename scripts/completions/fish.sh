# Completion of portalops in fish; made of what 'portalops --help' shows. Put it into
# /usr/share/fish/vendor_completions.d/portalops.fish.
@TABLES@
function __portalops_ids
    sh -c '@IDS@' sh $argv[1] "$argv[2]" 2>/dev/null
end

# What can stand for a value: KIND is file, folder, text, "words A B" or "ids SECTION".
function __portalops_value --argument-names kind current configuration lead
    switch "$kind"
        case file
            printf '%s\n' $lead(__fish_complete_path $current)
        case folder
            printf '%s\n' $lead(__fish_complete_directories $current '')
        case 'words *'
            printf '%s\n' $lead(string split ' ' (string replace 'words ' '' -- $kind))
        case 'ids *'
            printf '%s\n' $lead(__portalops_ids (string replace 'ids ' '' -- $kind) "$configuration")
    end
end

function __portalops_kind --argument-names path option
    set -l kind (__portalops_values "$path $option")
    test -n "$kind" || set kind (__portalops_values "any $option")
    printf '%s\n' $kind
end

function __portalops_complete
    set -l words (commandline -opc)[2..]
    set -l current (commandline -ct)
    set -l path portalops
    set -l place 1
    set -l waits
    set -l asks
    set -l ended
    set -l configuration
    for word in $words
        if test -n "$waits"
            test "$asks" = --config && set configuration $word
            set waits
        else if test -n "$ended" || not string match -q -- '-*' $word
            if test "$path" = portalops -a "$word" = help
                continue
            else if test -n "$(__portalops_verbs $path)"
                set path "$path $word"
            else
                set place (math $place + 1)
            end
        else if test "$word" = --
            set ended yes
        else if string match -q -- '*=*' $word
            string match -q -- '--config=*' $word && set configuration (string replace -- --config= '' $word)
        else
            set waits (__portalops_kind $path $word)
            set asks $word
        end
    end
    if test -n "$waits"
        __portalops_value "$waits" "$current" "$configuration" ''
    else if test -z "$ended" && string match -q -- '--*=*' $current
        set -l parts (string split -m 1 -- = $current)
        __portalops_value "$(__portalops_kind $path $parts[1])" "$parts[2]" "$configuration" "$parts[1]="
    else if test -z "$ended" && string match -q -- '-*' $current
        __portalops_options $path
        __portalops_options any
    else if test -n "$(__portalops_verbs $path)"
        __portalops_verbs $path
    else
        set -l places (__portalops_places $path)
        string match -q -- '\**' "$places[-1]" && test $place -gt (count $places) && set place (count $places)
        __portalops_value (string replace -r '^\*' '' -- "$places[$place]") "$current" "$configuration" ''
    end
end

complete -c portalops -f -a '(__portalops_complete)'
