// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {StakesCore} from "src-contracts/core/StakesCore.sol";
import {Node} from "src-contracts/types/Node.sol";

/// @dev What is free can be computed for every node that has not promised its stake twice: it never underflows. See `LedgerProof`.
contract StakesProof is StakesCore {
    constructor() StakesCore(address(1)) {}

    function proveFree(uint32 id) external view {
        Node storage n = _nodes[id];
        uint256 queued = n.exiting ? n.queued : 0;
        require(uint256(n.locked) + queued <= n.stake);

        assert(_free(n) == n.stake - n.locked - queued);
    }
}
