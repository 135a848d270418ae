# Completion of vtep for bash. The program itself says what may come next ([suggest:POSITION] "LINE"), so this needs no care when commands change.
_vtep() {
    local current=${COMP_WORDS[COMP_CWORD]}
    COMPREPLY=()
    case ${COMP_WORDS[COMP_CWORD - 1]} in
        --config | --socket | --write | -w | check | plan) mapfile -t COMPREPLY < <(compgen -f -- "$current"); compopt -o filenames; return ;;
        --user) mapfile -t COMPREPLY < <(compgen -u -- "$current"); return ;;
    esac
    mapfile -t COMPREPLY < <(compgen -W "$("${COMP_WORDS[0]}" "[suggest:$COMP_POINT]" "$COMP_LINE" 2> /dev/null)" -- "$current")
}
complete -F _vtep vtep
