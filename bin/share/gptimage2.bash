_gptimage2() {
    local IFS=$' \t\n'
    local args cur prev cmd opts arg
    args=("${COMP_WORDS[@]}")
    cur="${COMP_WORDS[COMP_CWORD]}"
    prev="${COMP_WORDS[COMP_CWORD-1]}"
    opts="--version -h --help"

    args=("${args[@]:1}")
    for arg in "${args[@]}"; do
        case "$arg" in
            generate)
                cmd="generate"
                opts="$opts --subject --style --light --frame --text --ref --ratio --count --preset --lighting --camera --negative -o --output --overwrite --preview --ledger --retry --key-file --key-stdin --timeout --ca-file --poll-unit --json -h --help"
                break
                ;;
            batch)
                cmd="batch"
                opts="$opts -o --output --format --dry-run --ledger --budget --cutoff --concurrency --series -y --yes --retry --key-file --key-stdin --timeout --ca-file --poll-unit --json -h --help"
                break
                ;;
            wait)
                cmd="wait"
                opts="$opts -o --output --overwrite --preview --ledger --key-file --key-stdin --timeout --ca-file --poll-unit --json -h --help"
                break
                ;;
            poll)
                cmd="poll"
                opts="$opts --ledger --key-file --key-stdin --timeout --ca-file --poll-unit --json -h --help"
                break
                ;;
            cost)
                cmd="cost"
                opts="$opts --subject --style --light --frame --text --ref --ratio --count --preset --lighting --camera --negative --json -h --help"
                break
                ;;
            prompt)
                cmd="prompt"
                opts="$opts --subject --style --light --frame --text --ref --ratio --count --preset --lighting --camera --negative --json -h --help"
                break
                ;;
            plan)
                cmd="plan"
                opts="$opts -o --output -f --manifest --store --only --stale --retry --json -h --help"
                break
                ;;
            build)
                cmd="build"
                opts="$opts --budget --cutoff -y --yes --depfile -f --manifest --store --only --stale --retry --key-file --key-stdin --timeout --ca-file --poll-unit --json -h --help"
                break
                ;;
            check)
                cmd="check"
                opts="$opts -f --manifest --store --only --json -h --help"
                break
                ;;
            review)
                cmd="review"
                opts="$opts -f --manifest --store --only --json -h --help"
                break
                ;;
            grid)
                cmd="grid"
                opts="$opts -f --manifest --store --only --json -h --help"
                break
                ;;
            gallery)
                cmd="gallery"
                opts="$opts --json -h --help"
                break
                ;;
            accept)
                cmd="accept"
                opts="$opts -f --manifest --store --json --keep --edited -h --help"
                break
                ;;
            reject)
                cmd="reject"
                opts="$opts -f --manifest --store --json -h --help"
                break
                ;;
            again)
                cmd="again"
                opts="$opts -f --manifest --store --json -h --help"
                break
                ;;
            pin)
                cmd="pin"
                opts="$opts -f --manifest --store --json -h --help"
                break
                ;;
            unpin)
                cmd="unpin"
                opts="$opts -f --manifest --store --json -h --help"
                break
                ;;
            derive)
                cmd="derive"
                opts="$opts -f --manifest --store --only --json -h --help"
                break
                ;;
            gc)
                cmd="gc"
                opts="$opts -y --yes -f --manifest --store --only --json -h --help"
                break
                ;;
            history)
                cmd="history"
                opts="$opts --ledger --state --key --id --since --until --tenant --limit --json --csv -h --help"
                break
                ;;
            ledger)
                cmd="ledger"
                opts="$opts --ledger --no-files --json -h --help"
                break
                ;;
            tenant)
                cmd="tenant"
                opts="$opts --budget --weight --ledger --json -h --help"
                break
                ;;
            recover)
                cmd="recover"
                opts="$opts --ledger --any-key --budget -y --yes -o --output --overwrite --preview --retry --key-file --key-stdin --timeout --ca-file --poll-unit --json -h --help"
                break
                ;;
            resolve)
                cmd="resolve"
                opts="$opts --ledger --any-key -o --output --overwrite --preview --key-file --key-stdin --timeout --ca-file --poll-unit --json -h --help"
                break
                ;;
            sandbox)
                cmd="sandbox"
                opts="$opts --port --api-key --credits --free-per-day --duration --image-size --image-bytes --certificate --no-idempotency --tls --fault --json -h --help"
                break
                ;;
            completion)
                cmd="completion"
                opts="$opts --json -h --help"
                break
                ;;
            man)
                cmd="man"
                opts="$opts --json -h --help"
                break
                ;;
        esac
    done

    case "$cmd" in
        '')
            COMPREPLY=($(compgen -W "generate batch wait poll cost prompt plan build check review grid gallery accept reject again pin unpin derive gc history ledger tenant recover resolve sandbox completion man" -- "$cur"))
            ;;
        'generate')
            case "$prev" in
                --subject)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --style)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --light)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --frame)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --text)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --ref)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --ratio)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --count)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --preset)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --lighting)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --camera)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --negative)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                -o|--output)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --ledger)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --retry)
                    COMPREPLY=($(compgen -W "safe documented idempotent" -- "$cur"))
                    return 0
                    ;;
                --key-file)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --timeout)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --ca-file)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --poll-unit)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
            esac

            ;;
        'batch')
            case "$prev" in
                -o|--output)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --format)
                    COMPREPLY=($(compgen -W "jsonl csv" -- "$cur"))
                    return 0
                    ;;
                --ledger)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --budget)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --cutoff)
                    COMPREPLY=($(compgen -W "hard soft" -- "$cur"))
                    return 0
                    ;;
                --concurrency)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --series)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --retry)
                    COMPREPLY=($(compgen -W "safe documented idempotent" -- "$cur"))
                    return 0
                    ;;
                --key-file)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --timeout)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --ca-file)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --poll-unit)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
            esac

            ;;
        'wait')
            case "$prev" in
                -o|--output)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --ledger)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --key-file)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --timeout)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --ca-file)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --poll-unit)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
            esac

            ;;
        'poll')
            case "$prev" in
                --ledger)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --key-file)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --timeout)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --ca-file)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --poll-unit)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
            esac

            ;;
        'cost')
            case "$prev" in
                --subject)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --style)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --light)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --frame)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --text)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --ref)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --ratio)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --count)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --preset)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --lighting)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --camera)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --negative)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
            esac

            ;;
        'prompt')
            case "$prev" in
                --subject)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --style)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --light)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --frame)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --text)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --ref)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --ratio)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --count)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --preset)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --lighting)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --camera)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --negative)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
            esac

            ;;
        'plan')
            case "$prev" in
                -o|--output)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                -f|--manifest)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --store)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --only)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --stale)
                    COMPREPLY=($(compgen -W "keep make" -- "$cur"))
                    return 0
                    ;;
                --retry)
                    COMPREPLY=($(compgen -W "safe documented idempotent" -- "$cur"))
                    return 0
                    ;;
            esac

            ;;
        'build')
            case "$prev" in
                --budget)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --cutoff)
                    COMPREPLY=($(compgen -W "hard soft" -- "$cur"))
                    return 0
                    ;;
                --depfile)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                -f|--manifest)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --store)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --only)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --stale)
                    COMPREPLY=($(compgen -W "keep make" -- "$cur"))
                    return 0
                    ;;
                --retry)
                    COMPREPLY=($(compgen -W "safe documented idempotent" -- "$cur"))
                    return 0
                    ;;
                --key-file)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --timeout)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --ca-file)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --poll-unit)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
            esac

            ;;
        'check')
            case "$prev" in
                -f|--manifest)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --store)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --only)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
            esac

            ;;
        'review')
            case "$prev" in
                -f|--manifest)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --store)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --only)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
            esac

            ;;
        'grid')
            case "$prev" in
                -f|--manifest)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --store)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --only)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
            esac

            ;;
        'accept')
            case "$prev" in
                -f|--manifest)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --store)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
            esac

            ;;
        'reject')
            case "$prev" in
                -f|--manifest)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --store)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
            esac

            ;;
        'again')
            case "$prev" in
                -f|--manifest)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --store)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
            esac

            ;;
        'pin')
            case "$prev" in
                -f|--manifest)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --store)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
            esac

            ;;
        'unpin')
            case "$prev" in
                -f|--manifest)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --store)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
            esac

            ;;
        'derive')
            case "$prev" in
                -f|--manifest)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --store)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --only)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
            esac

            ;;
        'gc')
            case "$prev" in
                -f|--manifest)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --store)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --only)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
            esac

            ;;
        'history')
            case "$prev" in
                --ledger)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --state)
                    COMPREPLY=($(compgen -W "abandoned accepted cancelled failed intent refused sent succeeded unknown unsent" -- "$cur"))
                    return 0
                    ;;
                --key)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --id)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --since)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --until)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --tenant)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --limit)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
            esac

            ;;
        'ledger')
            case "$prev" in
                --ledger)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
            esac

            ;;
        'tenant')
            case "$prev" in
                --budget)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --weight)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --ledger)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
            esac

            ;;
        'recover')
            case "$prev" in
                --ledger)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --budget)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                -o|--output)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --retry)
                    COMPREPLY=($(compgen -W "safe documented idempotent" -- "$cur"))
                    return 0
                    ;;
                --key-file)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --timeout)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --ca-file)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --poll-unit)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
            esac

            ;;
        'resolve')
            case "$prev" in
                --ledger)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                -o|--output)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --key-file)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --timeout)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --ca-file)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --poll-unit)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
            esac

            ;;
        'sandbox')
            case "$prev" in
                --port)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --api-key)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --credits)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --free-per-day)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --duration)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --image-size)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --image-bytes)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --certificate)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
                --fault)
                    COMPREPLY=($(compgen -f -- "$cur"))
                    return 0
                    ;;
            esac

            ;;
    esac

    if [[ "$cur" = -* ]]; then
        COMPREPLY=($(compgen -W "$opts" -- "$cur"))
    fi
}

complete -F _gptimage2 -o bashdefault -o default gptimage2
