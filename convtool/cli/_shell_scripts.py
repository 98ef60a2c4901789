"""The scripts that make shells ask ``convtool`` for completions, see `convtool.cli._shells`."""

BASH = r"""# convtool's completion for Bash 4.4 and later; in ~/.bashrc:
#   eval "$(convtool completion bash)"
%(complete_func)s() {
    local kind value IFS=$'\n'
    COMPREPLY=()
    while IFS=$'\t' read -r kind value; do
        case $kind in
            plain) COMPREPLY+=("$value") ;;
            part) COMPREPLY+=("$value"); compopt -o nospace 2>/dev/null ;;
            dir) compopt -o dirnames 2>/dev/null ;;
            file) compopt -o default 2>/dev/null ;;
        esac
    done < <(env COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD="$COMP_CWORD" \
        %(complete_var)s=bash_complete "${1:-%(prog_name)s}" 2>/dev/null)
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""

ZSH = r"""#compdef %(prog_name)s
# convtool's completion for Zsh; in ~/.zshrc, after compinit:
#   eval "$(convtool completion zsh)"
%(complete_func)s() {
    local -a plain parts described
    local kind value text
    while IFS=$'\t' read -r kind value text; do
        case $kind in
            plain) if [[ -n $text ]]; then described+=("${value//:/\\:}:$text")
                   else plain+=("$value"); fi ;;
            part) parts+=("$value") ;;
            dir) _path_files -/ ;;
            file) _path_files -f ;;
        esac
    done < <(env COMP_WORDS="${(pj:\n:)words}" COMP_CWORD=$((CURRENT-1)) \
        %(complete_var)s=zsh_complete ${words[1]:-%(prog_name)s} 2>/dev/null)
    (( $#parts )) && compadd -U -S '' -V unsorted -a parts
    (( $#plain )) && compadd -U -V unsorted -a plain
    (( $#described )) && _describe -V unsorted described -U
    return 0
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    %(complete_func)s "$@"
else
    compdef %(complete_func)s %(prog_name)s
fi
"""

FISH = r"""# convtool's completion for Fish; in ~/.config/fish/completions/convtool.fish:
#   convtool completion fish | source
function %(complete_func)s
    set -l answer (env COMP_WORDS=(commandline -cp | string collect) \
        COMP_CWORD=(commandline -ct | string collect) \
        %(complete_var)s=fish_complete %(prog_name)s 2>/dev/null)
    for line in $answer
        set -l item (string split -m 2 \t -- $line)
        switch $item[1]
            case dir
                __fish_complete_directories $item[2]
            case file
                __fish_complete_path $item[2]
            case '*'
                printf '%%s\n' (string join \t -- $item[2..])
        end
    end
end
complete --no-files --command %(prog_name)s --arguments '(%(complete_func)s)'
"""

POWERSHELL = r"""# convtool's completion for PowerShell 5.1 and later; in $PROFILE:
#   convtool completion powershell | Out-String | Invoke-Expression
Register-ArgumentCompleter -Native -CommandName %(prog_name)s -ScriptBlock {
    param($wordToComplete, $commandAst, $cursorPosition)
    $words = @($commandAst.CommandElements | ForEach-Object { $_.Extent.Text })
    $place = $words.Count
    if ($wordToComplete) { $place = $words.Count - 1 }
    $kept = $env:COMP_WORDS, $env:COMP_CWORD, $env:%(complete_var)s
    $env:COMP_WORDS = $words -join "`n"
    $env:COMP_CWORD = $place
    $env:%(complete_var)s = 'powershell_complete'
    try { $answer = & %(prog_name)s 2>$null }
    finally { $env:COMP_WORDS, $env:COMP_CWORD, $env:%(complete_var)s = $kept }
    foreach ($line in $answer) {
        $kind, $value, $text = $line -split "`t", 3
        if ($kind -in 'file', 'dir') {
            [System.Management.Automation.CompletionCompleters]::CompleteFilename($wordToComplete)
        } elseif ($value) {
            if (-not $text) { $text = $value }
            [System.Management.Automation.CompletionResult]::new(
                $value, $value, 'ParameterValue', $text)
        }
    }
}
"""
