# Completes the words of `connector`. To load it: connector completion fish | source
function __connector_candidates
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    $words[1] complete-words -- $words[2..-1] "$current" 2>/dev/null
end
complete -c connector -a '(__connector_candidates)'
