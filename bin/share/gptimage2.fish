function __fish_gptimage2_print_command
    set -l cmdline (commandline -poc)
    set -l cmd
    set -e cmdline[1]
    for arg in $cmdline
        switch $arg
            case generate
                set cmd $cmd generate
                break
            case batch
                set cmd $cmd batch
                break
            case wait
                set cmd $cmd wait
                break
            case poll
                set cmd $cmd poll
                break
            case cost
                set cmd $cmd cost
                break
            case prompt
                set cmd $cmd prompt
                break
            case plan
                set cmd $cmd plan
                break
            case build
                set cmd $cmd build
                break
            case check
                set cmd $cmd check
                break
            case review
                set cmd $cmd review
                break
            case grid
                set cmd $cmd grid
                break
            case gallery
                set cmd $cmd gallery
                break
            case accept
                set cmd $cmd accept
                break
            case reject
                set cmd $cmd reject
                break
            case again
                set cmd $cmd again
                break
            case pin
                set cmd $cmd pin
                break
            case unpin
                set cmd $cmd unpin
                break
            case derive
                set cmd $cmd derive
                break
            case gc
                set cmd $cmd gc
                break
            case history
                set cmd $cmd history
                break
            case ledger
                set cmd $cmd ledger
                break
            case tenant
                set cmd $cmd tenant
                break
            case recover
                set cmd $cmd recover
                break
            case resolve
                set cmd $cmd resolve
                break
            case sandbox
                set cmd $cmd sandbox
                break
            case completion
                set cmd $cmd completion
                break
            case man
                set cmd $cmd man
                break
        end
    end
    echo "$cmd"
end

function __fish_gptimage2_using_command
    test (__fish_gptimage2_print_command) = "$argv"
    and return 0
    or return 1
end

function __fish_gptimage2_seen_command
    string match -q "$argv*" (__fish_gptimage2_print_command)
    and return 0
    or return 1
end

complete -c gptimage2 -n '__fish_gptimage2_using_command' -xa 'generate' -d 'Makes pictures of a prompt, and saves them'
complete -c gptimage2 -n '__fish_gptimage2_using_command' -xa 'batch' -d 'Makes the pictures of a file\'s rows, each once'
complete -c gptimage2 -n '__fish_gptimage2_using_command' -xa 'wait' -d 'Waits for jobs by their ids, and saves their pictures'
complete -c gptimage2 -n '__fish_gptimage2_using_command' -xa 'poll' -d 'Asks once how jobs are, and does not wait'
complete -c gptimage2 -n '__fish_gptimage2_using_command' -xa 'cost' -d 'What a request would cost'
complete -c gptimage2 -n '__fish_gptimage2_using_command' -xa 'prompt' -d 'The prompt that pieces make, as it would be sent'
complete -c gptimage2 -n '__fish_gptimage2_using_command' -xa 'plan' -d 'What a build would do, what it costs and why'
complete -c gptimage2 -n '__fish_gptimage2_using_command' -xa 'build' -d 'Makes what the manifest asks for and is not there yet'
complete -c gptimage2 -n '__fish_gptimage2_using_command' -xa 'check' -d 'Whether all pictures are there, accepted and as they should be'
complete -c gptimage2 -n '__fish_gptimage2_using_command' -xa 'review' -d 'Writes a page to choose pictures from, and says where it is'
complete -c gptimage2 -n '__fish_gptimage2_using_command' -xa 'grid' -d 'The page of `review`, which begins with pictures by their axes'
complete -c gptimage2 -n '__fish_gptimage2_using_command' -xa 'gallery' -d 'Writes a page of the pictures in a folder, and says where it is'
complete -c gptimage2 -n '__fish_gptimage2_using_command' -xa 'accept' -d 'Accepts a candidate, the picture as it is, or the decisions of a page'
complete -c gptimage2 -n '__fish_gptimage2_using_command' -xa 'reject' -d 'Rejects a candidate, or all that were not accepted'
complete -c gptimage2 -n '__fish_gptimage2_using_command' -xa 'again' -d 'Asks for one more candidate, which the next build makes; the accepted one stays meanwhile'
complete -c gptimage2 -n '__fish_gptimage2_using_command' -xa 'pin' -d 'No build touches a picture any more, whatever the manifest says'
complete -c gptimage2 -n '__fish_gptimage2_using_command' -xa 'unpin' -d 'Lets a pinned picture go; a `pin` in the manifest wins'
complete -c gptimage2 -n '__fish_gptimage2_using_command' -xa 'derive' -d 'Runs the post-steps of all accepted pictures again'
complete -c gptimage2 -n '__fish_gptimage2_using_command' -xa 'gc' -d 'Deletes the files of pictures that the manifest does not ask for any more'
complete -c gptimage2 -n '__fish_gptimage2_using_command' -xa 'history' -d 'What a ledger has: who asked for what, when, what it cost, what came of it'
complete -c gptimage2 -n '__fish_gptimage2_using_command' -xa 'ledger' -d 'Checks a ledger: is it sound, and what is left to do in it?'
complete -c gptimage2 -n '__fish_gptimage2_using_command' -xa 'tenant' -d 'The tenants of a ledger, and their budgets'
complete -c gptimage2 -n '__fish_gptimage2_using_command' -xa 'recover' -d 'Takes up what an earlier process left in its ledger, and saves the pictures'
complete -c gptimage2 -n '__fish_gptimage2_using_command' -xa 'resolve' -d 'Says what became of a create that may have been paid'
complete -c gptimage2 -n '__fish_gptimage2_using_command' -xa 'sandbox' -d 'A stand-in for the service on 127.0.0.1, for tests and trying out'
complete -c gptimage2 -n '__fish_gptimage2_using_command' -xa 'completion' -d 'What a shell needs to complete command lines'
complete -c gptimage2 -n '__fish_gptimage2_using_command' -xa 'man' -d 'The manual page, for man(1)'
complete -c gptimage2 -l version -d 'Show the version and exit'
complete -c gptimage2 -s h -l help -d 'Show this help and exit'

complete -c gptimage2 -n '__fish_gptimage2_seen_command generate' -l subject -r -d 'What the picture shows'
complete -c gptimage2 -n '__fish_gptimage2_seen_command generate' -l style -r -d 'How it looks: a style, a medium'
complete -c gptimage2 -n '__fish_gptimage2_seen_command generate' -l light -r -d 'The light'
complete -c gptimage2 -n '__fish_gptimage2_seen_command generate' -l frame -r -d 'The frame: close-up, from above'
complete -c gptimage2 -n '__fish_gptimage2_seen_command generate' -l text -r -d 'What must stand in the picture'
complete -c gptimage2 -n '__fish_gptimage2_seen_command generate' -l ref -r -d 'A reference image; of a purpose: subject, palette, composition, material'
complete -c gptimage2 -n '__fish_gptimage2_seen_command generate' -l ratio -r -d 'The ratio of the sides: 1:1, 16:9, 9:16, 4:3, 3:4'
complete -c gptimage2 -n '__fish_gptimage2_seen_command generate' -l count -r -d 'How many pictures, 1 to 4 (1)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command generate' -l preset -r -d 'A style of the service: cinematic, studio-product'
complete -c gptimage2 -n '__fish_gptimage2_seen_command generate' -l lighting -r -d 'A light of the service'
complete -c gptimage2 -n '__fish_gptimage2_seen_command generate' -l camera -r -d 'A camera of the service'
complete -c gptimage2 -n '__fish_gptimage2_seen_command generate' -l negative -r -d 'What must not be in the picture'
complete -c gptimage2 -n '__fish_gptimage2_seen_command generate' -s o -l output -r -d 'A folder, or a name with {id}, {n}, {seed}, {ext}, {date} (.)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command generate' -l overwrite -d 'Replace files that are there'
complete -c gptimage2 -n '__fish_gptimage2_seen_command generate' -l preview -d 'Show the pictures in the terminal, where that can be'
complete -c gptimage2 -n '__fish_gptimage2_seen_command generate' -l ledger -r -d 'A ledger that remembers every paid job (GPTIMAGE2_LEDGER)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command generate' -l retry -xa 'safe documented idempotent' -d 'Which failed creates are sent again (documented)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command generate' -l key-file -r -d 'A file with the API key, which nobody else may read (0600)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command generate' -l key-stdin -d 'The API key is the first line of standard input'
complete -c gptimage2 -n '__fish_gptimage2_seen_command generate' -l timeout -r -d 'Seconds for a picture (600)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command generate' -l ca-file -r -d 'Certificates to trust, instead of the system\'s'
complete -c gptimage2 -n '__fish_gptimage2_seen_command generate' -l poll-unit -r -d '0.001 to 1: all times of polls are so much shorter, for the sandbox'
complete -c gptimage2 -n '__fish_gptimage2_seen_command generate' -l json -d 'One JSON object a line on standard output, and nothing else'
complete -c gptimage2 -n '__fish_gptimage2_seen_command generate' -s h -l help -d 'Show this help and exit'

complete -c gptimage2 -n '__fish_gptimage2_seen_command batch' -s o -l output -r -d 'The folder for the pictures (.)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command batch' -l format -xa 'jsonl csv' -d 'What the rows are, where the file\'s name does not say it'
complete -c gptimage2 -n '__fish_gptimage2_seen_command batch' -l dry-run -d 'Tell what each row would cost, and send nothing'
complete -c gptimage2 -n '__fish_gptimage2_seen_command batch' -l ledger -r -d 'The ledger (GPTIMAGE2_LEDGER, else .gptimage2/ledger.db)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command batch' -l budget -r -d 'Credits that this batch may spend'
complete -c gptimage2 -n '__fish_gptimage2_seen_command batch' -l cutoff -xa 'hard soft' -d 'Over the budget: hard sends nothing (default), soft makes what fits'
complete -c gptimage2 -n '__fish_gptimage2_seen_command batch' -l concurrency -r -d 'So many rows at once (8)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command batch' -l series -r -d 'A name: another series of the same rows is other pictures'
complete -c gptimage2 -n '__fish_gptimage2_seen_command batch' -s y -l yes -d 'Do not ask'
complete -c gptimage2 -n '__fish_gptimage2_seen_command batch' -l retry -xa 'safe documented idempotent' -d 'Which failed creates are sent again (documented)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command batch' -l key-file -r -d 'A file with the API key, which nobody else may read (0600)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command batch' -l key-stdin -d 'The API key is the first line of standard input'
complete -c gptimage2 -n '__fish_gptimage2_seen_command batch' -l timeout -r -d 'Seconds for a picture (600)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command batch' -l ca-file -r -d 'Certificates to trust, instead of the system\'s'
complete -c gptimage2 -n '__fish_gptimage2_seen_command batch' -l poll-unit -r -d '0.001 to 1: all times of polls are so much shorter, for the sandbox'
complete -c gptimage2 -n '__fish_gptimage2_seen_command batch' -l json -d 'One JSON object a line on standard output, and nothing else'
complete -c gptimage2 -n '__fish_gptimage2_seen_command batch' -s h -l help -d 'Show this help and exit'

complete -c gptimage2 -n '__fish_gptimage2_seen_command wait' -s o -l output -r -d 'A folder, or a name with {id}, {n}, {seed}, {ext}, {date} (.)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command wait' -l overwrite -d 'Replace files that are there'
complete -c gptimage2 -n '__fish_gptimage2_seen_command wait' -l preview -d 'Show the pictures in the terminal, where that can be'
complete -c gptimage2 -n '__fish_gptimage2_seen_command wait' -l ledger -r -d 'A ledger that remembers every paid job (GPTIMAGE2_LEDGER)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command wait' -l key-file -r -d 'A file with the API key, which nobody else may read (0600)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command wait' -l key-stdin -d 'The API key is the first line of standard input'
complete -c gptimage2 -n '__fish_gptimage2_seen_command wait' -l timeout -r -d 'Seconds for a picture (600)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command wait' -l ca-file -r -d 'Certificates to trust, instead of the system\'s'
complete -c gptimage2 -n '__fish_gptimage2_seen_command wait' -l poll-unit -r -d '0.001 to 1: all times of polls are so much shorter, for the sandbox'
complete -c gptimage2 -n '__fish_gptimage2_seen_command wait' -l json -d 'One JSON object a line on standard output, and nothing else'
complete -c gptimage2 -n '__fish_gptimage2_seen_command wait' -s h -l help -d 'Show this help and exit'

complete -c gptimage2 -n '__fish_gptimage2_seen_command poll' -l ledger -r -d 'A ledger that remembers every paid job (GPTIMAGE2_LEDGER)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command poll' -l key-file -r -d 'A file with the API key, which nobody else may read (0600)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command poll' -l key-stdin -d 'The API key is the first line of standard input'
complete -c gptimage2 -n '__fish_gptimage2_seen_command poll' -l timeout -r -d 'Seconds for a picture (600)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command poll' -l ca-file -r -d 'Certificates to trust, instead of the system\'s'
complete -c gptimage2 -n '__fish_gptimage2_seen_command poll' -l poll-unit -r -d '0.001 to 1: all times of polls are so much shorter, for the sandbox'
complete -c gptimage2 -n '__fish_gptimage2_seen_command poll' -l json -d 'One JSON object a line on standard output, and nothing else'
complete -c gptimage2 -n '__fish_gptimage2_seen_command poll' -s h -l help -d 'Show this help and exit'

complete -c gptimage2 -n '__fish_gptimage2_seen_command cost' -l subject -r -d 'What the picture shows'
complete -c gptimage2 -n '__fish_gptimage2_seen_command cost' -l style -r -d 'How it looks: a style, a medium'
complete -c gptimage2 -n '__fish_gptimage2_seen_command cost' -l light -r -d 'The light'
complete -c gptimage2 -n '__fish_gptimage2_seen_command cost' -l frame -r -d 'The frame: close-up, from above'
complete -c gptimage2 -n '__fish_gptimage2_seen_command cost' -l text -r -d 'What must stand in the picture'
complete -c gptimage2 -n '__fish_gptimage2_seen_command cost' -l ref -r -d 'A reference image; of a purpose: subject, palette, composition, material'
complete -c gptimage2 -n '__fish_gptimage2_seen_command cost' -l ratio -r -d 'The ratio of the sides: 1:1, 16:9, 9:16, 4:3, 3:4'
complete -c gptimage2 -n '__fish_gptimage2_seen_command cost' -l count -r -d 'How many pictures, 1 to 4 (1)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command cost' -l preset -r -d 'A style of the service: cinematic, studio-product'
complete -c gptimage2 -n '__fish_gptimage2_seen_command cost' -l lighting -r -d 'A light of the service'
complete -c gptimage2 -n '__fish_gptimage2_seen_command cost' -l camera -r -d 'A camera of the service'
complete -c gptimage2 -n '__fish_gptimage2_seen_command cost' -l negative -r -d 'What must not be in the picture'
complete -c gptimage2 -n '__fish_gptimage2_seen_command cost' -l json -d 'One JSON object a line on standard output, and nothing else'
complete -c gptimage2 -n '__fish_gptimage2_seen_command cost' -s h -l help -d 'Show this help and exit'

complete -c gptimage2 -n '__fish_gptimage2_seen_command prompt' -l subject -r -d 'What the picture shows'
complete -c gptimage2 -n '__fish_gptimage2_seen_command prompt' -l style -r -d 'How it looks: a style, a medium'
complete -c gptimage2 -n '__fish_gptimage2_seen_command prompt' -l light -r -d 'The light'
complete -c gptimage2 -n '__fish_gptimage2_seen_command prompt' -l frame -r -d 'The frame: close-up, from above'
complete -c gptimage2 -n '__fish_gptimage2_seen_command prompt' -l text -r -d 'What must stand in the picture'
complete -c gptimage2 -n '__fish_gptimage2_seen_command prompt' -l ref -r -d 'A reference image; of a purpose: subject, palette, composition, material'
complete -c gptimage2 -n '__fish_gptimage2_seen_command prompt' -l ratio -r -d 'The ratio of the sides: 1:1, 16:9, 9:16, 4:3, 3:4'
complete -c gptimage2 -n '__fish_gptimage2_seen_command prompt' -l count -r -d 'How many pictures, 1 to 4 (1)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command prompt' -l preset -r -d 'A style of the service: cinematic, studio-product'
complete -c gptimage2 -n '__fish_gptimage2_seen_command prompt' -l lighting -r -d 'A light of the service'
complete -c gptimage2 -n '__fish_gptimage2_seen_command prompt' -l camera -r -d 'A camera of the service'
complete -c gptimage2 -n '__fish_gptimage2_seen_command prompt' -l negative -r -d 'What must not be in the picture'
complete -c gptimage2 -n '__fish_gptimage2_seen_command prompt' -l json -d 'One JSON object a line on standard output, and nothing else'
complete -c gptimage2 -n '__fish_gptimage2_seen_command prompt' -s h -l help -d 'Show this help and exit'

complete -c gptimage2 -n '__fish_gptimage2_seen_command plan' -s o -l output -r -d 'Write the plan to a file, which build takes'
complete -c gptimage2 -n '__fish_gptimage2_seen_command plan' -s f -l manifest -r -d 'The manifest (pictures.lua)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command plan' -l store -r -d 'A further store of pictures (GPTIMAGE2_STORE)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command plan' -l only -r -d 'Only these pictures: * and ? stop at a slash, ** does not'
complete -c gptimage2 -n '__fish_gptimage2_seen_command plan' -l stale -xa 'keep make' -d 'Whether changed pictures, and those that are gone, are made again'
complete -c gptimage2 -n '__fish_gptimage2_seen_command plan' -l retry -xa 'safe documented idempotent' -d 'Which failed creates are sent again (that of the manifest, else documented)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command plan' -l json -d 'One JSON object a line on standard output, and nothing else'
complete -c gptimage2 -n '__fish_gptimage2_seen_command plan' -s h -l help -d 'Show this help and exit'

complete -c gptimage2 -n '__fish_gptimage2_seen_command build' -l budget -r -d 'Credits that this build may spend'
complete -c gptimage2 -n '__fish_gptimage2_seen_command build' -l cutoff -xa 'hard soft' -d 'Over the budget: hard sends nothing (default), soft makes what fits'
complete -c gptimage2 -n '__fish_gptimage2_seen_command build' -s y -l yes -d 'Do not ask'
complete -c gptimage2 -n '__fish_gptimage2_seen_command build' -l depfile -r -d 'Write there, for make or ninja, that the lock and the pictures depend on the manifest'
complete -c gptimage2 -n '__fish_gptimage2_seen_command build' -s f -l manifest -r -d 'The manifest (pictures.lua)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command build' -l store -r -d 'A further store of pictures (GPTIMAGE2_STORE)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command build' -l only -r -d 'Only these pictures: * and ? stop at a slash, ** does not'
complete -c gptimage2 -n '__fish_gptimage2_seen_command build' -l stale -xa 'keep make' -d 'Whether changed pictures, and those that are gone, are made again'
complete -c gptimage2 -n '__fish_gptimage2_seen_command build' -l retry -xa 'safe documented idempotent' -d 'Which failed creates are sent again (that of the manifest, else documented)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command build' -l key-file -r -d 'A file with the API key, which nobody else may read (0600)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command build' -l key-stdin -d 'The API key is the first line of standard input'
complete -c gptimage2 -n '__fish_gptimage2_seen_command build' -l timeout -r -d 'Seconds for a picture (600)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command build' -l ca-file -r -d 'Certificates to trust, instead of the system\'s'
complete -c gptimage2 -n '__fish_gptimage2_seen_command build' -l poll-unit -r -d '0.001 to 1: all times of polls are so much shorter, for the sandbox'
complete -c gptimage2 -n '__fish_gptimage2_seen_command build' -l json -d 'One JSON object a line on standard output, and nothing else'
complete -c gptimage2 -n '__fish_gptimage2_seen_command build' -s h -l help -d 'Show this help and exit'

complete -c gptimage2 -n '__fish_gptimage2_seen_command check' -s f -l manifest -r -d 'The manifest (pictures.lua)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command check' -l store -r -d 'A further store of pictures (GPTIMAGE2_STORE)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command check' -l only -r -d 'Only these pictures: * and ? stop at a slash, ** does not'
complete -c gptimage2 -n '__fish_gptimage2_seen_command check' -l json -d 'One JSON object a line on standard output, and nothing else'
complete -c gptimage2 -n '__fish_gptimage2_seen_command check' -s h -l help -d 'Show this help and exit'

complete -c gptimage2 -n '__fish_gptimage2_seen_command review' -s f -l manifest -r -d 'The manifest (pictures.lua)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command review' -l store -r -d 'A further store of pictures (GPTIMAGE2_STORE)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command review' -l only -r -d 'Only these pictures: * and ? stop at a slash, ** does not'
complete -c gptimage2 -n '__fish_gptimage2_seen_command review' -l json -d 'One JSON object a line on standard output, and nothing else'
complete -c gptimage2 -n '__fish_gptimage2_seen_command review' -s h -l help -d 'Show this help and exit'

complete -c gptimage2 -n '__fish_gptimage2_seen_command grid' -s f -l manifest -r -d 'The manifest (pictures.lua)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command grid' -l store -r -d 'A further store of pictures (GPTIMAGE2_STORE)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command grid' -l only -r -d 'Only these pictures: * and ? stop at a slash, ** does not'
complete -c gptimage2 -n '__fish_gptimage2_seen_command grid' -l json -d 'One JSON object a line on standard output, and nothing else'
complete -c gptimage2 -n '__fish_gptimage2_seen_command grid' -s h -l help -d 'Show this help and exit'

complete -c gptimage2 -n '__fish_gptimage2_seen_command gallery' -l json -d 'One JSON object a line on standard output, and nothing else'
complete -c gptimage2 -n '__fish_gptimage2_seen_command gallery' -s h -l help -d 'Show this help and exit'

complete -c gptimage2 -n '__fish_gptimage2_seen_command accept' -s f -l manifest -r -d 'The manifest (pictures.lua)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command accept' -l store -r -d 'A further store of pictures (GPTIMAGE2_STORE)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command accept' -l json -d 'One JSON object a line on standard output, and nothing else'
complete -c gptimage2 -n '__fish_gptimage2_seen_command accept' -l keep -d 'The picture that is there, for the request as it is now'
complete -c gptimage2 -n '__fish_gptimage2_seen_command accept' -l edited -d 'The file as it is now'
complete -c gptimage2 -n '__fish_gptimage2_seen_command accept' -s h -l help -d 'Show this help and exit'

complete -c gptimage2 -n '__fish_gptimage2_seen_command reject' -s f -l manifest -r -d 'The manifest (pictures.lua)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command reject' -l store -r -d 'A further store of pictures (GPTIMAGE2_STORE)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command reject' -l json -d 'One JSON object a line on standard output, and nothing else'
complete -c gptimage2 -n '__fish_gptimage2_seen_command reject' -s h -l help -d 'Show this help and exit'

complete -c gptimage2 -n '__fish_gptimage2_seen_command again' -s f -l manifest -r -d 'The manifest (pictures.lua)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command again' -l store -r -d 'A further store of pictures (GPTIMAGE2_STORE)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command again' -l json -d 'One JSON object a line on standard output, and nothing else'
complete -c gptimage2 -n '__fish_gptimage2_seen_command again' -s h -l help -d 'Show this help and exit'

complete -c gptimage2 -n '__fish_gptimage2_seen_command pin' -s f -l manifest -r -d 'The manifest (pictures.lua)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command pin' -l store -r -d 'A further store of pictures (GPTIMAGE2_STORE)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command pin' -l json -d 'One JSON object a line on standard output, and nothing else'
complete -c gptimage2 -n '__fish_gptimage2_seen_command pin' -s h -l help -d 'Show this help and exit'

complete -c gptimage2 -n '__fish_gptimage2_seen_command unpin' -s f -l manifest -r -d 'The manifest (pictures.lua)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command unpin' -l store -r -d 'A further store of pictures (GPTIMAGE2_STORE)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command unpin' -l json -d 'One JSON object a line on standard output, and nothing else'
complete -c gptimage2 -n '__fish_gptimage2_seen_command unpin' -s h -l help -d 'Show this help and exit'

complete -c gptimage2 -n '__fish_gptimage2_seen_command derive' -s f -l manifest -r -d 'The manifest (pictures.lua)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command derive' -l store -r -d 'A further store of pictures (GPTIMAGE2_STORE)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command derive' -l only -r -d 'Only these pictures: * and ? stop at a slash, ** does not'
complete -c gptimage2 -n '__fish_gptimage2_seen_command derive' -l json -d 'One JSON object a line on standard output, and nothing else'
complete -c gptimage2 -n '__fish_gptimage2_seen_command derive' -s h -l help -d 'Show this help and exit'

complete -c gptimage2 -n '__fish_gptimage2_seen_command gc' -s y -l yes -d 'Do not ask'
complete -c gptimage2 -n '__fish_gptimage2_seen_command gc' -s f -l manifest -r -d 'The manifest (pictures.lua)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command gc' -l store -r -d 'A further store of pictures (GPTIMAGE2_STORE)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command gc' -l only -r -d 'Only these pictures: * and ? stop at a slash, ** does not'
complete -c gptimage2 -n '__fish_gptimage2_seen_command gc' -l json -d 'One JSON object a line on standard output, and nothing else'
complete -c gptimage2 -n '__fish_gptimage2_seen_command gc' -s h -l help -d 'Show this help and exit'

complete -c gptimage2 -n '__fish_gptimage2_seen_command history' -l ledger -r -d 'The ledger (GPTIMAGE2_LEDGER, else .gptimage2/ledger.db)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command history' -l state -xa 'abandoned accepted cancelled failed intent refused sent succeeded unknown unsent' -d 'Only rows in this state: abandoned, accepted, cancelled, failed, intent, refused, sent, succeeded, unknown, unsent'
complete -c gptimage2 -n '__fish_gptimage2_seen_command history' -l key -r -d 'Only the row with this idempotency key'
complete -c gptimage2 -n '__fish_gptimage2_seen_command history' -l id -r -d 'Only the job with this id'
complete -c gptimage2 -n '__fish_gptimage2_seen_command history' -l since -r -d 'Only rows since that time (UTC, or seconds since 1970)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command history' -l until -r -d 'Only rows until that time (UTC, or seconds since 1970)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command history' -l tenant -r -d 'Only the jobs of this tenant'
complete -c gptimage2 -n '__fish_gptimage2_seen_command history' -l limit -r -d 'So many rows at most'
complete -c gptimage2 -n '__fish_gptimage2_seen_command history' -l json -d 'One JSON object a line on standard output, and nothing else'
complete -c gptimage2 -n '__fish_gptimage2_seen_command history' -l csv -d 'Comma-separated values, for a spreadsheet'
complete -c gptimage2 -n '__fish_gptimage2_seen_command history' -s h -l help -d 'Show this help and exit'

complete -c gptimage2 -n '__fish_gptimage2_seen_command ledger' -l ledger -r -d 'The ledger (GPTIMAGE2_LEDGER, else .gptimage2/ledger.db)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command ledger' -l no-files -d 'Do not look whether the pictures are there'
complete -c gptimage2 -n '__fish_gptimage2_seen_command ledger' -l json -d 'One JSON object a line on standard output, and nothing else'
complete -c gptimage2 -n '__fish_gptimage2_seen_command ledger' -s h -l help -d 'Show this help and exit'

complete -c gptimage2 -n '__fish_gptimage2_seen_command tenant' -l budget -r -d 'Credits that it may spend in all, or none for no limit'
complete -c gptimage2 -n '__fish_gptimage2_seen_command tenant' -l weight -r -d 'Its part of what is claimed, against that of others (1)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command tenant' -l ledger -r -d 'The ledger (GPTIMAGE2_LEDGER, else .gptimage2/ledger.db)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command tenant' -l json -d 'One JSON object a line on standard output, and nothing else'
complete -c gptimage2 -n '__fish_gptimage2_seen_command tenant' -s h -l help -d 'Show this help and exit'

complete -c gptimage2 -n '__fish_gptimage2_seen_command recover' -l ledger -r -d 'The ledger (GPTIMAGE2_LEDGER, else .gptimage2/ledger.db)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command recover' -l any-key -d 'The jobs of other keys as well: the key was changed'
complete -c gptimage2 -n '__fish_gptimage2_seen_command recover' -l budget -r -d 'Credits that it may spend on what was not sent'
complete -c gptimage2 -n '__fish_gptimage2_seen_command recover' -s y -l yes -d 'Do not ask'
complete -c gptimage2 -n '__fish_gptimage2_seen_command recover' -s o -l output -r -d 'A folder, or a name with {id}, {n}, {seed}, {ext}, {date} (.)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command recover' -l overwrite -d 'Replace files that are there'
complete -c gptimage2 -n '__fish_gptimage2_seen_command recover' -l preview -d 'Show the pictures in the terminal, where that can be'
complete -c gptimage2 -n '__fish_gptimage2_seen_command recover' -l retry -xa 'safe documented idempotent' -d 'Which failed creates are sent again (documented)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command recover' -l key-file -r -d 'A file with the API key, which nobody else may read (0600)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command recover' -l key-stdin -d 'The API key is the first line of standard input'
complete -c gptimage2 -n '__fish_gptimage2_seen_command recover' -l timeout -r -d 'Seconds for a picture (600)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command recover' -l ca-file -r -d 'Certificates to trust, instead of the system\'s'
complete -c gptimage2 -n '__fish_gptimage2_seen_command recover' -l poll-unit -r -d '0.001 to 1: all times of polls are so much shorter, for the sandbox'
complete -c gptimage2 -n '__fish_gptimage2_seen_command recover' -l json -d 'One JSON object a line on standard output, and nothing else'
complete -c gptimage2 -n '__fish_gptimage2_seen_command recover' -s h -l help -d 'Show this help and exit'

complete -c gptimage2 -n '__fish_gptimage2_seen_command resolve' -l ledger -r -d 'The ledger (GPTIMAGE2_LEDGER, else .gptimage2/ledger.db)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command resolve' -l any-key -d 'Also a row of another key: the key was changed'
complete -c gptimage2 -n '__fish_gptimage2_seen_command resolve' -s o -l output -r -d 'A folder, or a name with {id}, {n}, {seed}, {ext}, {date} (.)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command resolve' -l overwrite -d 'Replace files that are there'
complete -c gptimage2 -n '__fish_gptimage2_seen_command resolve' -l preview -d 'Show the pictures in the terminal, where that can be'
complete -c gptimage2 -n '__fish_gptimage2_seen_command resolve' -l key-file -r -d 'A file with the API key, which nobody else may read (0600)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command resolve' -l key-stdin -d 'The API key is the first line of standard input'
complete -c gptimage2 -n '__fish_gptimage2_seen_command resolve' -l timeout -r -d 'Seconds for a picture (600)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command resolve' -l ca-file -r -d 'Certificates to trust, instead of the system\'s'
complete -c gptimage2 -n '__fish_gptimage2_seen_command resolve' -l poll-unit -r -d '0.001 to 1: all times of polls are so much shorter, for the sandbox'
complete -c gptimage2 -n '__fish_gptimage2_seen_command resolve' -l json -d 'One JSON object a line on standard output, and nothing else'
complete -c gptimage2 -n '__fish_gptimage2_seen_command resolve' -s h -l help -d 'Show this help and exit'

complete -c gptimage2 -n '__fish_gptimage2_seen_command sandbox' -l port -r -d 'A port; 0 is one that is free (0)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command sandbox' -l api-key -r -d 'The key that it accepts (sandbox)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command sandbox' -l credits -r -d 'Credits of the account (500)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command sandbox' -l free-per-day -r -d 'Free images a day (0)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command sandbox' -l duration -r -d 'Seconds until a job is done (1)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command sandbox' -l image-size -r -d 'Pixels of the longer side (1024)'
complete -c gptimage2 -n '__fish_gptimage2_seen_command sandbox' -l image-bytes -r -d 'Every image is a file of this size'
complete -c gptimage2 -n '__fish_gptimage2_seen_command sandbox' -l certificate -r -d 'With --tls: good, expired, wrong_host, self_signed'
complete -c gptimage2 -n '__fish_gptimage2_seen_command sandbox' -l no-idempotency -d 'A repeated idempotency key makes another job'
complete -c gptimage2 -n '__fish_gptimage2_seen_command sandbox' -l tls -d 'https, with a certificate of its own'
complete -c gptimage2 -n '__fish_gptimage2_seen_command sandbox' -l fault -r -d 'Misbehave: on=create,action=status,status=402'
complete -c gptimage2 -n '__fish_gptimage2_seen_command sandbox' -l json -d 'One JSON object a line on standard output, and nothing else'
complete -c gptimage2 -n '__fish_gptimage2_seen_command sandbox' -s h -l help -d 'Show this help and exit'

complete -c gptimage2 -n '__fish_gptimage2_seen_command completion' -l json -d 'One JSON object a line on standard output, and nothing else'
complete -c gptimage2 -n '__fish_gptimage2_seen_command completion' -s h -l help -d 'Show this help and exit'

complete -c gptimage2 -n '__fish_gptimage2_seen_command man' -l json -d 'One JSON object a line on standard output, and nothing else'
complete -c gptimage2 -n '__fish_gptimage2_seen_command man' -s h -l help -d 'Show this help and exit'
