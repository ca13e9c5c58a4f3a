# Completion of portalops in bash; made of what 'portalops --help' shows. Put it into
# /usr/share/bash-completion/completions/portalops, or source it.
@TABLES@
_portalops_ids() {
    sh -c '@IDS@' sh "$1" "$2" 2>/dev/null
}

# What can stand for a value: KIND is file, folder, text, "words A B" or "ids SECTION".
_portalops_value() {
    local kind=$1 current=$2 configuration=$3 lead=$4
    case $kind in
        file)
            compopt -o filenames 2>/dev/null
            mapfile -t COMPREPLY < <(compgen -P "$lead" -f -- "$current")
            ;;
        folder)
            compopt -o filenames 2>/dev/null
            mapfile -t COMPREPLY < <(compgen -P "$lead" -d -- "$current")
            ;;
        words\ *)
            mapfile -t COMPREPLY < <(compgen -P "$lead" -W "${kind#words }" -- "$current")
            ;;
        ids\ *)
            mapfile -t COMPREPLY < <(compgen -P "$lead" -W "$(_portalops_ids "${kind#ids }" "$configuration")" -- "$current")
            ;;
    esac
}

_portalops() {
    local current=${COMP_WORDS[COMP_CWORD]} path=portalops waits="" asks="" ended="" configuration="" place=0 i word kind
    local -a places
    COMPREPLY=()
    for ((i = 1; i < COMP_CWORD; i++)); do
        word=${COMP_WORDS[i]}
        if [[ -n $waits ]]; then
            [[ $word == "=" ]] && continue
            [[ $asks == --config ]] && configuration=$word
            waits=""
        elif [[ -n $ended || $word != -* ]]; then
            if [[ $path == portalops && $word == help ]]; then
                continue
            elif [[ -n ${_portalops_verbs[$path]-} ]]; then
                path+=" $word"
            else
                place=$((place + 1))
            fi
        elif [[ $word == -- ]]; then
            ended=yes
        elif [[ $word == *=* ]]; then
            [[ $word == --config=* ]] && configuration=${word#*=}
        else
            waits=${_portalops_values["$path $word"]-${_portalops_values["any $word"]-}}
            asks=$word
        fi
    done
    [[ -n $waits && $current == "=" ]] && current=""
    # bash leaves quotes and a tilde to whoever completes
    current=${current#[\"\']}
    if [[ -n $waits ]]; then
        _portalops_value "$waits" "$current" "$configuration" ""
    elif [[ -z $ended && $current == --*=* ]]; then
        kind=${_portalops_values["$path ${current%%=*}"]-${_portalops_values["any ${current%%=*}"]-}}
        _portalops_value "$kind" "${current#*=}" "$configuration" "${current%%=*}="
    elif [[ -z $ended && $current == -* ]]; then
        mapfile -t COMPREPLY < <(compgen -W "${_portalops_options[$path]-} ${_portalops_options[any]}" -- "$current")
    elif [[ -n ${_portalops_verbs[$path]-} ]]; then
        mapfile -t COMPREPLY < <(compgen -W "${_portalops_verbs[$path]}" -- "$current")
    else
        # one kind a place, the last with * if it may be repeated
        mapfile -t places <<<"${_portalops_places[$path]-}"
        [[ ${places[-1]} == \** && $place -ge ${#places[@]} ]] && place=$((${#places[@]} - 1))
        kind=${places[place]-}
        _portalops_value "${kind#\*}" "$current" "$configuration" ""
    fi
}

complete -F _portalops portalops
