#compdef portalops
# Completion of portalops in zsh; made of what 'portalops --help' shows. Put it as _portalops into a folder of $fpath,
# such as /usr/share/zsh/vendor-completions.

if (( ! $+_portalops_verbs )); then
@TABLES@
fi

_portalops_ids() {
    sh -c '@IDS@' sh "$1" "$2" 2>/dev/null
}

# What can stand for a value: KIND is file, folder, text, "words A B" or "ids SECTION".
_portalops_value() {
    local -a found
    case $1 in
        file) _files ;;
        folder) _files -/ ;;
        words\ *)
            found=(${(s: :)1#words })
            compadd -a found
            ;;
        ids\ *)
            found=(${(f)"$(_portalops_ids "${1#ids }" "$2")"})
            compadd -a found
            ;;
        *) _message 'value' ;;
    esac
}

_portalops() {
    local path_=portalops waits asks ended configuration word kind
    local -i place=1 i
    local -a rows
    for ((i = 2; i < CURRENT; i++)); do
        word=${(Q)words[i]}
        if [[ -n $waits ]]; then
            [[ $asks == --config ]] && configuration=$word
            waits=
        elif [[ -n $ended || $word != -* ]]; then
            if [[ $path_ == portalops && $word == help ]]; then
                continue
            elif [[ -n ${_portalops_verbs[$path_]} ]]; then
                path_+=" $word"
            else
                (( place++ ))
            fi
        elif [[ $word == -- ]]; then
            ended=yes
        elif [[ $word == *=* ]]; then
            [[ $word == --config=* ]] && configuration=${word#*=}
        else
            waits=${_portalops_values[$path_ $word]:-${_portalops_values[any $word]}}
            asks=$word
        fi
    done
    word=$words[CURRENT]
    if [[ -n $waits ]]; then
        _portalops_value $waits $configuration
    elif [[ -z $ended && $word == --*=* ]]; then
        kind=${_portalops_values[$path_ ${word%%=*}]:-${_portalops_values[any ${word%%=*}]}}
        compset -P '*='
        _portalops_value $kind $configuration
    elif [[ -z $ended && $word == -* ]]; then
        rows=(${(f)_portalops_options[$path_]} ${(f)_portalops_options[any]})
        _describe -o 'option' rows
    elif [[ -n ${_portalops_verbs[$path_]} ]]; then
        rows=(${(f)_portalops_verbs[$path_]})
        _describe 'command' rows
    else
        rows=("${(@f)_portalops_places[$path_]}")
        [[ $rows[-1] == \** ]] && (( place > $#rows )) && place=$#rows
        kind=${rows[place]}
        [[ -n $kind ]] && _portalops_value ${kind#\*} $configuration
    fi
}

_portalops "$@"
