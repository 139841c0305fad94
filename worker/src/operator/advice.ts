/**
 * What an operator does about each warning and error of the log; `createLog` puts it beside the message. A test holds every message of the
 * worker against this list.
 */
const ADVICE: Readonly<Record<string, string>> = {
  /* Nothing to do, unless it stays. */
  'Block is worked off later': 'Nothing, if it stays rare. Often: name a faster RPC with rpcUrl.',
  'Chain was reorganised': 'Nothing: it is worked off. Often: raise revealConfirmations.',
  'Reading events again after a reorganisation': 'Nothing: it is worked off.',
  'No scanned block is on the chain any more, reading everything again':
    'Nothing, if the chain was restarted. Otherwise check that rpcUrl serves the right chain (dpu-node check).',
  'Journal and chain differ, reading events again':
    'Nothing, if it stays rare. Often: the RPC leaves out logs; name another.',
  'Transaction left the chain': 'Nothing: it is watched, and sent again if it does not come back.',
  'Transaction was dropped, sending it again': 'Nothing. Often: raise tipGwei.',
  'Filling a nonce that nothing uses': 'Nothing: a transfer to oneself frees what waits behind it.',
  'Proof is delayed': 'Nothing: it is done with the next block. Often: check the RPC (dpu-node check).',
  'A stored file is incomplete, fetching it again': 'Nothing. Often: check the disk.',
  'Shard failed on this machine, trying again':
    'Look at its reason. out-of-memory: lower slots or memoryMb. sandbox: run dpu-node check. Other programs may be in the way.',
  'Shard cannot be judged here': 'Nothing: the node abstains. Often: look at its problem, then run dpu-node check.',
  'A shard of another node cannot be checked here':
    'Nothing. Often: look at its problem; gateways may be out of reach.',
  'A result of another node is right, but its data is out of reach': 'Nothing: it is asked for again.',
  'A result of another node is out of reach': 'Nothing, unless all are: then check the gateways and the network.',
  'A shard of another node is wrong': 'Nothing: it is challenged with this node’s stake.',
  'Challenge sent': 'Nothing: a jury decides. The bond comes back with the verdict.',
  'Appeal sent': 'Nothing: a second jury decides. The bond comes back with the verdict.',
  'Whether to appeal cannot be told here': 'Look at its problem: the deadline for an appeal runs.',
  'The gateway did not take a copy of a result':
    'Nothing: results are served from this machine. Often: check the first of gateways, and keep this node reachable.',
  'No new work is taken: the node was drained before it was started': 'Run dpu-node resume when the machine is ready.',
  'The machine cannot be read':
    'Look at its error. Limits of temperature, power and idleness are not watched meanwhile.',

  /* The gateway that serves this node's results. */
  'Download broken off': 'Nothing: who downloads went away.',
  'Store was full, garbage collected': 'Nothing. Often: raise storeQuotaGb.',
  'Request failed': 'Look at its error. Often: check the disk.',
  'Garbage could not be collected': 'Make room on the disk or raise storeQuotaGb: results could not be kept any more.',

  /* Look soon. */
  'RPC does not answer':
    'Check the RPC (dpu-node check) and name another one with rpcUrl: commits and reveals have deadlines.',
  'Fee cap reached, waiting for a lower base fee':
    'Raise maxFeeGwei, or urgentMaxFeeGwei when a bond is at stake, and start again.',
  'Transaction reverted': 'Nothing, if it is a claim: another was faster. Otherwise look it up by its hash.',
  'Transaction refused': 'Look at its message. Insufficient funds: send the operator coin. Otherwise name another RPC.',
  'Nonce was used by somebody else':
    'Stop whatever else sends with the operator’s key: a wallet, or a second node. Each node needs a key of its own.',
  'The contract would refuse this step':
    'Look at its revert. Often: the chain moved on; otherwise the lease may be lost.',
  'The contract would refuse the challenge': 'Nothing, if the window has closed. Otherwise look at its revert.',
  'The contract would refuse the appeal': 'Nothing, if the window has closed. Otherwise look at its revert.',
  'Private jobs are sealed to another key than this node has: publish its own with setNode':
    'Publish the node’s key with the owner’s wallet (dpu-node init --owner-key-file), or restore the one that is published.',

  /* The tier. */
  'The tier is looked after with a later block': 'Nothing, if it stays rare. Often: check the RPC (dpu-node check).',
  'The tier cannot be proven again now':
    'Look at its revert. InsufficientBalance: somebody has to deposit a few wei of DPU for the contract of the proofs. Otherwise run dpu-node prove.',
  'The spec of a proof cannot be made':
    'Nothing, if it stays at one: governance has changed the benchmark since. Often: check the RPC (dpu-node check).',
  'The gateway did not take the spec of a proof; this node serves it all the same':
    'Nothing, if this node can be reached at its endpoint: jurors fetch it there.',
  'The tier was not proven in time and the bond is lost. It is not tried again by itself: find out what kept the machine busy, then run dpu-node prove.':
    'Find out what kept the machine busy, then run dpu-node prove with the tier.',

  /* Several RPC endpoints. */
  'Another RPC endpoint is used': 'Nothing. Often: the one that was left is slow; name another under rpc.',
  'RPC endpoint serves another chain and is left out: correct rpc in the configuration':
    'Correct rpc in the configuration and restart the node.',
  'RPC endpoint does not answer': 'Nothing while another answers. Often: name another under rpc.',
  'One RPC endpoint: whatever it says is believed. Name a second one under rpc':
    'Name a second endpoint of another provider under rpc.',
  'Acting on the word of one RPC endpoint, because time runs out':
    'Check the other endpoints (dpu-node check), and name more under rpc.',
  'Irrevocable acts wait for a second RPC endpoint':
    'Check the endpoints (dpu-node check): deadlines run. Endpoints that contradict each other stop everything.',

  /* The network between nodes. */
  'This node does not hear the others: its host could not be started':
    'Look at its error. Often: a port of gossip.listen is taken. The node works without.',
  'The network could not be told': 'Nothing: it is told again. Often: look at its error.',

  /* Copies of results. */
  'Copies could not be looked after': 'Nothing: it is tried again. Often: check the disk and the RPC.',
  'Too few nodes keep copies; those that were lost are asked again':
    'Nothing: others are asked. Keep this node up meanwhile; its copy may be the last.',
  'This node’s own copy is damaged, fetching it again': 'Check the disk: other holders still had it.',
  'Result is shown with fewer copies than wanted; the repair goes on':
    'Keep this node up until the copies are made. Often: raise receiptWaitSeconds.',
  'Copies of a result could not be asked for': 'Nothing: it is tried again. Often: check the RPC.',
  'Storage could not be looked after': 'Look at its error. Often: check the disk.',

  /* Act. */
  'Tick failed': 'Restart the node if it repeats, and report it with this line: it is a fault of the program.',
  'Lease cannot be computed, part of its bond will be lost':
    'Look at its reason. Fault of the job: nothing, the node does not take it again. Otherwise run dpu-node check before the next claim: dpu-node drain.',
  'Lease is lost, its bond or part of it will be taken':
    'Look above for why. Too slow: raise reservePercent or lower slots. Down: keep the node and its RPC up.',
  'Commitment cannot be opened: the journal has another result, the bond will be lost':
    'Do not run two nodes on one key, and do not put back old journals. If neither was the case, report it with this line.',
  'Testimony cannot be given: the journal has another one, the juror’s bond will be lost':
    'Do not run two nodes on one key, and do not put back old journals. If neither was the case, report it with this line.',
  'A wrong result cannot be challenged: free stake does not cover the bond':
    'Stake more with the owner’s wallet, if you want the node to challenge.',
  'A result of another node differs and is hidden: nobody can prove which shard is wrong':
    'Nothing, unless challengeHidden is wanted: docs/court.md says what it risks.',
};

/** For messages from elsewhere, such as the gateway’s. */
const OTHERWISE = 'Run dpu-node check, and look for this line in docs/node.md.';

/** What to do about a message. */
export function adviceOf(message: string): string {
  if (message.startsWith('The operator’s wallet') || message.startsWith("The operator's wallet"))
    return 'Send the operator some of the chain’s coin: what waits is sent then.';
  return ADVICE[message] ?? OTHERWISE;
}

/** Whether a message is in the list. */
export const isAdvised = (message: string): boolean => message in ADVICE;
