// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {ERC20Burnable} from "@openzeppelin/contracts/token/ERC20/extensions/ERC20Burnable.sol";
import {Parameters} from "src-contracts/Parameters.sol";
import {StakeSurrogate} from "src-contracts/StakeSurrogate.sol";
import {MarketCore} from "src-contracts/core/MarketCore.sol";
import {Node} from "src-contracts/types/Node.sol";
import {Params} from "src-contracts/types/Params.sol";

/// @notice What a fault costs.
abstract contract Slashing is MarketCore {
    /// @dev Releases `bond` of a node and takes `amount` (at most `bond`) of it away: part burnt, part for the retry, the rest for
    /// the treasury. The caller books the retry's part. The pull from the surrogate is the last thing that happens.
    function _slash(uint32 id, uint256 bond, uint256 amount, Params storage p) internal {
        uint256 burnt = amount * p.burnBps / Parameters.BPS;
        _seize(id, bond, amount, burnt, amount - burnt - uint256(_retryGwei(amount, p)) * 1 gwei);
    }

    /// @dev The same with parts that the caller names; it books what is neither burnt nor the treasury's.
    function _seize(uint32 id, uint256 bond, uint256 amount, uint256 burnt, uint256 treasuryPart) internal {
        Node storage n = _nodes[id];
        // forge-lint: disable-start(unsafe-typecast)
        _moveStake(n.runtimes, n.stake, n.stake - uint96(amount)); // amount ≤ bond ≤ locked ≤ stake
        n.locked -= uint96(bond);
        n.stake -= uint96(amount);
        // forge-lint: disable-end(unsafe-typecast)
        if (amount == 0) return;

        _credit(TOKEN, _treasury, treasuryPart);

        emit NodeSlashed(id, amount, burnt, treasuryPart, n.stake);

        StakeSurrogate(_surrogates[n.owner]).release(address(this), amount);
        _burn(burnt);
    }

    /// @dev Burns DPU that the Market holds and nobody owns.
    function _burn(uint256 amount) internal {
        if (amount != 0) ERC20Burnable(TOKEN).burn(amount);
    }
}
