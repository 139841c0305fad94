// SPDX-License-Identifier: MIT
pragma solidity 0.8.34;

import {TimelockController} from "@openzeppelin/contracts/governance/TimelockController.sol";
import {Parameters} from "src-contracts/Parameters.sol";

/// @title The timelock
/// @notice Owns the Market and holds its treasury. OpenZeppelin's, with bounds for its delay: what the governor queues waits here, then
/// anyone may execute it.
/// @dev ROLES: it is its own and only admin. Until the set-up's one batch has run it has no delay and `setup` is its proposer; that batch must end
/// the set-up's roles, name the governor and set the delay, and the deployment script asserts that it did. From then on the delay
/// stays within bounds that no vote can leave.
contract DpuTimelock is TimelockController {
    /// @notice The delay that the set-up sets, in seconds. A vote may turn it down to a quarter of this, or up to 30 days.
    uint256 public immutable FIRST_DELAY;

    /// @param delay Seconds from queue to execution, once the set-up is over.
    /// @param setup Who proposes until then.
    constructor(uint256 delay, address setup) TimelockController(0, _only(setup), _only(address(0)), address(0)) {
        Parameters.checkGovernanceWindow("timelockDelay", delay, 0);
        FIRST_DELAY = delay;
    }

    /// @notice Changes the delay of what is queued from now on, within bounds. Only the timelock itself may call.
    function updateDelay(uint256 newDelay) public override {
        Parameters.checkGovernanceWindow("timelockDelay", newDelay, FIRST_DELAY);

        super.updateDelay(newDelay);
    }

    function _only(address account) private pure returns (address[] memory list) {
        list = new address[](1);
        list[0] = account;
    }
}
