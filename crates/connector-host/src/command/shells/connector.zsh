#compdef connector
# Completes the words of `connector`. To load it: source <(connector completion zsh), after compinit
_connector() {
    local -a whole open shown_whole shown_open
    local candidate help
    while IFS=$'\t' read -r candidate help; do
        if [[ $candidate == *= ]]; then
            open+=("$candidate")
            shown_open+=("$candidate  $help")
        else
            whole+=("$candidate")
            shown_whole+=("$candidate  $help")
        fi
    done < <("${words[1]}" complete-words -- "${(@)words[2,CURRENT]}" 2>/dev/null)
    if (( ${#whole} + ${#open} == 0 )); then
        _files
        return
    fi
    (( ${#whole} )) && compadd -l -d shown_whole -a whole
    (( ${#open} )) && compadd -l -S '' -d shown_open -a open
    return 0
}
if [[ ${funcstack[1]} == _connector ]]; then
    _connector "$@"
else
    compdef _connector connector
fi
